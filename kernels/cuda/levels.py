"""Inverse depth brought into its range. See `...api.Kernels`."""

from __future__ import annotations

import numpy as np

from .launch import Argument, DeviceArray, Kernel, Recordable

FINITE, STRETCHED, ROUNDED, EVERY = (
    Kernel("levels.cu", name) for name in ("finite_values", "stretched", "rounded_16", "every")
)


def finite(gpu: Recordable, inverse_depth: DeviceArray) -> DeviceArray:
    """A copy: an engine may write its next depth where this one is."""
    return _of_each(gpu, FINITE, inverse_depth)


def stretched(gpu: Recordable, inverse_depth: DeviceArray, span: DeviceArray) -> DeviceArray:
    """span: its low end, and how far the other lies above, float32."""
    return _of_each(gpu, STRETCHED, inverse_depth, span)


def rounded(gpu: Recordable, inverse_depth: DeviceArray) -> DeviceArray:
    return _of_each(gpu, ROUNDED, inverse_depth)


def _of_each(gpu: Recordable, kernel: Kernel, plane: DeviceArray, *arguments: Argument) -> DeviceArray:
    out, size = gpu.empty(plane.shape, np.float32), plane.shape[0] * plane.shape[1]
    gpu.launch(kernel, (size,), plane, size, *arguments, out)
    return out


def every(gpu: Recordable, inverse_depth: DeviceArray, step: int) -> DeviceArray:
    """Every `step`-th value of every `step`-th row."""
    height, width = (-(-side // step) for side in inverse_depth.shape)
    out = gpu.empty((height, width), np.float32)
    gpu.launch(EVERY, (width, height), inverse_depth, inverse_depth.shape[1], step, out, height, width)
    return out
