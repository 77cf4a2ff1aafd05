"""Alignment to the truth, and the figures that look at pixels one by one or in pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

UNIT_M = 0.5  # inverse depth 1.0 in metres
NEAREST_M, FARTHEST_M = 0.3, 10.0

Map = NDArray[np.floating]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Error of depth after alignment (Eigen et al. 2014, arXiv:1406.2283; log10: Saxena et al. 2009, Make3D).

    p is the predicted and t the true depth. Ratios: abs_rel = mean |p − t| / t; rmse_log = RMS of ln p − ln t;
    log10 = mean |log10 p − log10 t|; delta1 to delta3 = share with max(p/t, t/p) < 1.25, 1.25², 1.25³.
    Metres: sq_rel_m = mean (p − t)² / t; rmse_m = RMS of p − t.
    """

    abs_rel: float
    sq_rel_m: float
    rmse_m: float
    rmse_log: float
    log10: float
    delta1: float
    delta2: float
    delta3: float


def align(prediction: Map, truth: Map) -> Map:
    """`prediction` scaled and shifted to fit `truth` best in the least-squares sense, where truth is known.

    Any shape: stacked frames get one scale and one shift. All NaN when nothing is known.
    """
    valid = np.isfinite(truth)
    p, t = prediction[valid].astype(np.float64), truth[valid].astype(np.float64)
    if not len(t):
        return np.full(prediction.shape, NAN)
    design = np.stack((p, np.ones_like(p)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, t, rcond=None)
    return prediction * scale + shift


def aligned_depth(prediction: Map, truth: Map) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(predicted, true) depth in metres, in the shape of the inputs, after affine alignment in inverse depth.

    The truth is NaN where it is unknown or not within 0.3–10 m; the prediction is aligned on the rest and clipped
    to that range. It is all NaN when nothing is known.
    """
    depth_true = UNIT_M / np.where(np.isfinite(truth) & (truth > 0), truth, NAN)
    measured = (depth_true >= NEAREST_M) & (depth_true <= FARTHEST_M)
    aligned = align(prediction, np.where(measured, truth, NAN))
    depth = 1 / np.clip(aligned / UNIT_M, 1 / FARTHEST_M, 1 / NEAREST_M)
    return depth.astype(np.float64), np.where(measured, depth_true, NAN).astype(np.float64)


def accuracy(prediction: Map, truth: Map) -> Accuracy:
    """Depth errors after affine alignment in inverse depth, on pixels of 0.3–10 m; all NaN when there are none."""
    predicted, true = aligned_depth(prediction, truth)
    valid = np.isfinite(true)
    if not valid.any():
        return Accuracy(*[NAN] * 8)
    p, t = predicted[valid], true[valid]
    error, log_error = p - t, np.log(p / t)
    ratio = np.maximum(p / t, t / p)
    return Accuracy(
        abs_rel=float(np.mean(np.abs(error) / t)),
        sq_rel_m=float(np.mean(error**2 / t)),
        rmse_m=float(np.sqrt(np.mean(error**2))),
        rmse_log=float(np.sqrt(np.mean(log_error**2))),
        log10=float(np.mean(np.abs(log_error)) / np.log(10)),
        delta1=float(np.mean(ratio < 1.25)),
        delta2=float(np.mean(ratio < 1.25**2)),
        delta3=float(np.mean(ratio < 1.25**3)),
    )


def pair_order(prediction: Map, truth: Map, rng: Generator, pairs: int = 2000, min_ratio: float = 1.15) -> float:
    """Share of random pixel pairs, over 15 % apart in true inverse depth, that the prediction orders right.

    Returns NaN when no pair is far enough apart. No alignment is needed.
    """
    valid = np.isfinite(truth) & (truth > 0)
    p, t = prediction[valid], truth[valid]
    if not len(t):
        return NAN
    a, b = rng.integers(0, len(t), size=(2, pairs))
    apart = np.abs(np.log(t[a] / t[b])) > np.log(min_ratio)
    if not apart.any():
        return NAN
    return float(np.mean((p[a] > p[b])[apart] == (t[a] > t[b])[apart]))
