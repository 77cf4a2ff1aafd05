"""MSE, PSNR and SSIM of the depth map as a picture, on the scale of the student report.

The scale is that of NYUv2 in the Kaggle/DenseDepth layout: an 8-bit map divided by 255, which is depth in metres / 10.
So truth = depth / 10 m and prediction = aligned depth / 10 m, both clipped to [0, 1]; data range 1. Neither is rounded
to 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .pointwise import NAN, Map, aligned_depth

WHITE_M = 10.0  # depth 1.0 on the report's scale
WINDOW_PX, SIGMA_PX = 11, 1.5
C1, C2 = 0.01**2, 0.03**2  # (K1 L)² and (K2 L)² for the data range L = 1


@dataclass(frozen=True, slots=True)
class PictureQuality:
    """mse and ssim have no unit (0 and 1 are perfect); psnr_db = 10 log10(1 / mse), infinite for a perfect picture."""

    mse: float
    psnr_db: float
    ssim: float


def picture_quality(prediction: Map, truth: Map) -> PictureQuality:
    """Figures on pixels whose truth is 0.3–10 m, after affine alignment in inverse depth; NaN when there are none."""
    predicted, true = (np.clip(depth / WHITE_M, 0, 1) for depth in aligned_depth(prediction, truth))
    valid = np.isfinite(true)
    if not valid.any():
        return PictureQuality(NAN, NAN, NAN)
    mse = float(np.mean((predicted[valid] - true[valid]) ** 2))
    psnr_db = float(10 * np.log10(1 / mse)) if mse > 0 else float("inf")
    return PictureQuality(mse, psnr_db, ssim(predicted, true))


def ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Mean structural similarity of `h w` pictures in [0, 1] (Wang et al. 2004, doi:10.1109/TIP.2003.819861).

    Gaussian window of 11 × 11, σ = 1.5, K1 = 0.01, K2 = 0.03. Only windows count that lie in the picture and hold no
    NaN of either; NaN when there is none.
    """
    known = np.isfinite(a) & np.isfinite(b)
    whole = _whole_windows(known)
    if not whole.any():
        return NAN
    a, b = np.where(known, a, 0.0), np.where(known, b, 0.0)
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    variances = _window_mean(a * a) - mean_a**2 + _window_mean(b * b) - mean_b**2
    covariance = _window_mean(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    structure = (2 * covariance + C2) / (variances + C2)
    return float(np.mean((luminance * structure)[whole]))


def _window_mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(x, (WINDOW_PX, WINDOW_PX), SIGMA_PX), np.float64)


def _whole_windows(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    kernel = np.ones((WINDOW_PX, WINDOW_PX), np.uint8)
    eroded = cv2.erode(known.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.asarray(eroded) > 0
