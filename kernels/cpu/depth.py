"""Depth smoothing and scalar K-Means. The specification is `..api.Kernels`."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import Centres, InverseDepth, Labels
from ..errors import InputError

MEDIAN_SIZES = (0, 3, 5)  # what OpenCV offers for float pictures


def resize(inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> InverseDepth:
    if inverse_depth.shape == size_hw:
        return inverse_depth
    height, width = size_hw
    return cast(InverseDepth, cv2.resize(inverse_depth, (width, height), interpolation=cv2.INTER_LINEAR))


def smooth(inverse_depth: InverseDepth, median_px: int, gaussian_px: int) -> InverseDepth:
    if median_px not in MEDIAN_SIZES or (gaussian_px and gaussian_px % 2 == 0):
        raise InputError(f"got sizes {median_px} and {gaussian_px}; expected a median of 0, 3 or 5, odd sizes")
    out = inverse_depth
    if median_px:
        out = cv2.medianBlur(out, median_px)
    if gaussian_px:
        out = cv2.GaussianBlur(out, (gaussian_px, gaussian_px), 0, borderType=cv2.BORDER_REFLECT_101)
    return cast(InverseDepth, out)


def cluster_update(
    samples: NDArray[np.float32], centres: Centres, weights: NDArray[np.float64]
) -> tuple[Centres, NDArray[np.float64]]:
    nearest = _nearest(samples, centres)
    counts = np.bincount(nearest, minlength=len(centres)).astype(np.float64)
    sums = np.bincount(nearest, weights=samples, minlength=len(centres))
    seen = weights + counts
    moved = np.where(counts > 0, (centres * weights + sums) / np.maximum(seen, 1.0), centres)
    return moved, seen


def assign(inverse_depth: InverseDepth, centres: Centres) -> Labels:
    return _nearest(inverse_depth.ravel(), centres).astype(np.uint8).reshape(inverse_depth.shape)


def _nearest(values: NDArray[np.float32], centres: Centres) -> NDArray[np.intp]:
    # Nearest of sorted scalars = the cell between midpoints; searchsorted wants them ascending.
    borders = (centres[1:] + centres[:-1])[::-1] / 2.0
    return len(centres) - 1 - np.searchsorted(borders.astype(np.float32), values, side="right")
