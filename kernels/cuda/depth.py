"""Depth's size, its smoothing, and scalar K-Means. The specification is `...api.Kernels`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import Centres
from ..cpu.depth import MEDIAN_SIZES
from ..errors import InputError
from .launch import DeviceArray, Kernel, Recordable

RESIZE, SHRINK = Kernel("resize.cu", "resize"), Kernel("resize.cu", "shrink_plane")
MEDIAN = {3: Kernel("smooth.cu", "median_3"), 5: Kernel("smooth.cu", "median_5")}
GAUSSIAN = Kernel("smooth.cu", "gaussian")
UPDATE, ASSIGN = Kernel("clusters.cu", "cluster_update"), Kernel("clusters.cu", "assign")
MOST_CENTRES = 16
_CENTRES = np.dtype([("count", np.int32), ("at", np.float64, MOST_CENTRES)], align=True)


def resize(gpu: Recordable, plane: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
    """Bilinear, `h w` float32; the array itself where it has the size."""
    return plane if plane.shape == size_hw else _to_size(gpu, RESIZE, plane, size_hw)


def shrink_plane(gpu: Recordable, plane: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
    """The mean of what each cell covers, `h w` float32. For sizes that are no larger."""
    return plane if plane.shape == size_hw else _to_size(gpu, SHRINK, plane, size_hw)


def _to_size(gpu: Recordable, kernel: Kernel, plane: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
    out = gpu.empty(size_hw, np.float32)
    gpu.launch(kernel, size_hw[::-1], plane, *plane.shape, out, *size_hw)
    return out


def smooth(gpu: Recordable, inverse_depth: DeviceArray, median_px: int, gaussian_px: int) -> DeviceArray:
    if median_px not in MEDIAN_SIZES or (gaussian_px and gaussian_px % 2 == 0):
        raise InputError(f"got sizes {median_px} and {gaussian_px}; expected a median of 0, 3 or 5, odd sizes")
    out, extent = inverse_depth, inverse_depth.shape[::-1]
    if median_px:
        source, out = out, gpu.empty(out.shape, np.float32)
        gpu.launch(MEDIAN[median_px], extent, source, out, *out.shape)
    if gaussian_px:
        weights = gpu.table(("gaussian", gaussian_px), lambda: cv2.getGaussianKernel(gaussian_px, 0, cv2.CV_32F))
        for along_rows in (1, 0):
            source, out = out, gpu.empty(out.shape, np.float32)
            gpu.launch(GAUSSIAN, extent, source, out, *out.shape, weights, gaussian_px, along_rows)
    return out


def cluster_update(
    gpu: Recordable, samples: DeviceArray, centres: DeviceArray, weights: DeviceArray
) -> tuple[DeviceArray, DeviceArray]:
    """All arrays are there, and so are the results: updates follow each other without a wait."""
    (count,) = centres.shape
    if samples.shape[0] == 0:
        return gpu.copy(centres), gpu.copy(weights)
    moved, seen = gpu.empty((count,), np.float64), gpu.empty((count,), np.float64)
    sums = gpu.zeros((2 * count + 1,), np.uint64)
    gpu.launch(UPDATE, samples.shape, samples, samples.shape[0], centres, weights, count, sums, moved, seen)
    return moved, seen


def centres_of(centres: Centres) -> NDArray[np.uint8]:
    """The struct `Centres`, as bytes. Raises InputError."""
    count = len(centres)
    if not 1 <= count <= MOST_CENTRES:
        raise InputError(f"got {count} centres; the CUDA kernels take at most {MOST_CENTRES} layers")
    struct = np.zeros(1, _CENTRES)
    struct["count"], struct["at"][0, :count] = count, centres
    return struct.view(np.uint8)


def assign(gpu: Recordable, inverse_depth: DeviceArray, centres: DeviceArray) -> DeviceArray:
    """centres: of `centres_of`, there."""
    height, width = inverse_depth.shape
    labels = gpu.empty((height, width), np.uint8)
    gpu.launch(ASSIGN, (height * width,), inverse_depth, height * width, centres, labels)
    return labels
