"""Depth metrics, pure functions on `h w` float arrays of inverse depth (0.5 m / z); NaN truth = no measurement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

UNIT_M = 0.5  # inverse depth 1.0 in metres
NEAREST_M, FARTHEST_M = 0.3, 10.0

Map = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """abs_rel and delta1 are ratios, rmse_m is in metres (Eigen et al. 2014, arXiv:1406.2283)."""

    abs_rel: float
    rmse_m: float
    delta1: float


def align(prediction: Map, truth: Map) -> Map:
    """`prediction` scaled and shifted to fit `truth` best in the least-squares sense, where truth is known."""
    valid = np.isfinite(truth)
    p, t = prediction[valid].astype(np.float64), truth[valid].astype(np.float64)
    design = np.stack((p, np.ones_like(p)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, t, rcond=None)
    return prediction * scale + shift


def accuracy(prediction: Map, truth: Map) -> Accuracy:
    """AbsRel, RMSE and δ1 of depth after affine alignment in inverse depth, on pixels of 0.3–10 m."""
    depth_true = UNIT_M / np.where(np.isfinite(truth) & (truth > 0), truth, np.nan)
    truth = np.where((depth_true >= NEAREST_M) & (depth_true <= FARTHEST_M), truth, np.nan)
    valid = np.isfinite(truth)
    inverse_m = np.clip(align(prediction, truth)[valid] / UNIT_M, 1 / FARTHEST_M, 1 / NEAREST_M)
    p, t = 1 / inverse_m, depth_true[valid]
    ratio = np.maximum(p / t, t / p)
    return Accuracy(
        abs_rel=float(np.mean(np.abs(p - t) / t)),
        rmse_m=float(np.sqrt(np.mean((p - t) ** 2))),
        delta1=float(np.mean(ratio < 1.25)),
    )


def pair_order(prediction: Map, truth: Map, rng: Generator, pairs: int = 2000, min_ratio: float = 1.15) -> float:
    """Share of random pixel pairs, over 15 % apart in true inverse depth, that the prediction orders right.

    Returns NaN when no pair is far enough apart. No alignment is needed.
    """
    valid = np.isfinite(truth) & (truth > 0)
    p, t = prediction[valid], truth[valid]
    if not len(t):
        return float("nan")
    a, b = rng.integers(0, len(t), size=(2, pairs))
    apart = np.abs(np.log(t[a] / t[b])) > np.log(min_ratio)
    if not apart.any():
        return float("nan")
    return float(np.mean((p[a] > p[b])[apart] == (t[a] > t[b])[apart]))
