"""Depth through time: motion, and what is known moved along and fused. See `...api.Kernels` and `..cpu.temporal`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..belief import FIRST_NOISE
from ..cpu import temporal as cpu
from .depth import shrink_plane
from .launch import DeviceArray, Kernel, Recordable

SMALLEST_PX = 12  # the shorter side of the smallest picture that motion is looked for in
GREY, TRACK, MEDIAN = (Kernel("flow.cu", name) for name in ("grey", "track", "median_flow"))
MOVED, EXPLAINED, STIR = (Kernel("moved.cu", name) for name in ("moved", "explained", "stir"))
INNOVATION, STRAYED, MIDDLE, GAINS, BELIEVE, CARRY_DEPTH, CARRY_PAST = (
    Kernel("belief.cu", name)
    for name in ("innovation", "strayed", "middle_two", "gains", "believe", "carry_depth", "carry_past")
)

_RULE = np.dtype([(name, np.float32) for name in ("outlier_sigmas", "drift_rate", "usual_sigmas", "burst_sigmas",
                  "longest", "noise_rate", "noise_least", "noise_most", "least_samples")])  # fmt: skip


Arrays = tuple[DeviceArray, ...]


def motion(gpu: Recordable, now: DeviceArray, before: DeviceArray) -> Arrays:
    """As the fields of `Motion`."""
    height, width = size_hw = now.shape[0], now.shape[1]
    extent = width, height
    flow = _flow(gpu, now, before)
    there, still = gpu.empty(now.shape, np.uint8), gpu.empty(size_hw, np.uint8)
    gpu.launch(MOVED, extent, before, flow, there, height, width)
    trusted, (new, stirred) = gpu.empty((*size_hw, 2), np.float32), (gpu.empty(size_hw, np.float32) for _ in range(2))
    gpu.launch(EXPLAINED, extent, now, before, there, flow, trusted, new, still, height, width)
    gpu.launch(STIR, extent, still, stirred, height, width)
    return trusted, new, stirred


def _flow(gpu: Recordable, now: DeviceArray, before: DeviceArray) -> DeviceArray:
    """`h w 2`, from coarse to fine; 0 in pictures that the CPU takes as still."""
    size_hw = now.shape[0], now.shape[1]
    if min(size_hw) < cpu.LEAST_SIDES[0] or max(size_hw) < cpu.LEAST_SIDES[1]:
        return gpu.zeros((*size_hw, 2), np.float32)
    pyramids = [_greys(gpu, picture) for picture in (now, before)]
    flow, coarse_hw = gpu.zeros((1, 1, 2), np.float32), (0, 0)
    for grey_now, grey_before in reversed(list(zip(*pyramids, strict=True))):
        (height, width), rough = grey_now.shape, gpu.empty((*grey_now.shape, 2), np.float32)
        gpu.launch(TRACK, (width, height), grey_now, grey_before, height, width, flow, *coarse_hw, rough)
        flow, coarse_hw = gpu.empty((height, width, 2), np.float32), (height, width)
        gpu.launch(MEDIAN, (width, height), rough, flow, height, width)
    return flow


def _greys(gpu: Recordable, picture: DeviceArray) -> list[DeviceArray]:
    """Grey, at the picture's size, at half of it …"""
    height, width = picture.shape[:2]
    levels = [gpu.empty((height, width), np.float32)]
    gpu.launch(GREY, (height * width,), picture, height * width, levels[0])
    while min(height, width) >= 2 * SMALLEST_PX:
        height, width = -(-height // 2), -(-width // 2)
        levels.append(shrink_plane(gpu, levels[-1], (height, width)))
    return levels


def carry(
    gpu: Recordable, depth: DeviceArray, weight: DeviceArray, drift: DeviceArray, stirred: DeviceArray,
    flow: DeviceArray, new: DeviceArray, stirred_now: DeviceArray,
) -> Arrays:  # fmt: skip
    """As the fields of `Belief`, but for the noise."""
    (height, width), (high, wide) = depth.shape, weight.shape
    carried = gpu.empty((height, width), np.float32)
    gpu.launch(CARRY_DEPTH, (width, height), depth, height, width, flow, high, wide, carried)
    past = tuple(gpu.empty((high, wide), np.float32) for _ in range(3))
    gpu.launch(CARRY_PAST, (wide, high), weight, drift, stirred, flow, new, stirred_now, *past, high, wide)
    return carried, *past


def fuse(
    gpu: Recordable, depth: DeviceArray, weight: DeviceArray, drift: DeviceArray, stirred: DeviceArray,
    noise: DeviceArray, new: DeviceArray,
) -> Arrays:  # fmt: skip
    """As the fields of `Belief`. The noise stays an array of one: to have it as a number one would have to wait."""
    (height, width), (high, wide) = depth.shape, weight.shape
    coarse, gain, weight_now, drift_now = (gpu.empty((high, wide), np.float32) for _ in range(4))
    gpu.launch(INNOVATION, (wide, high), depth, new, height, width, coarse, high, wide)
    noise_now, fused = gpu.empty((1,), np.float32), gpu.empty((height, width), np.float32)
    gpu.launch(GAINS, (wide, high), coarse, weight, drift, stirred, noise, _middle(gpu, weight, drift, coarse), _rule(),
               gain, weight_now, drift_now, noise_now, high, wide)  # fmt: skip
    gpu.launch(BELIEVE, (width, height), depth, new, height, width, gain, high, wide, fused)
    return fused, weight_now, drift_now, gpu.zeros((high, wide), np.float32), noise_now


def _middle(gpu: Recordable, weight: DeviceArray, drift: DeviceArray, coarse: DeviceArray) -> DeviceArray:
    """Of how far settled cells strayed, the two values in the middle; and how many there are."""
    high, wide = coarse.shape
    rows, columns = sampled = -(-high // 4), -(-wide // 4)
    values, middle = gpu.empty(sampled, np.float32), gpu.zeros((3,), np.float32)
    gpu.launch(STRAYED, (columns, rows), coarse, drift, weight, cpu.SETTLED, wide, values, *sampled)
    gpu.launch(MIDDLE, (rows * columns,), values, rows * columns, middle)
    return middle


def _rule() -> NDArray[Any]:
    usual = cpu.DRIFT_SIGMAS * (cpu.DRIFT_RATE / (2.0 - cpu.DRIFT_RATE)) ** 0.5
    steps = cpu.OUTLIER_SIGMAS, cpu.DRIFT_RATE, usual, cpu.BURST_SIGMAS, cpu.LONGEST
    return np.array([(*steps, cpu.NOISE_RATE, *cpu.NOISE_RANGE, cpu.LEAST_SAMPLES)], _RULE)


def first_belief(gpu: Recordable, grid_hw: tuple[int, int]) -> Arrays:
    """Of a first `Belief` the weight, what is 0, and the noise."""
    weight = gpu.copy(gpu.table(("ones", grid_hw), lambda: np.ones(grid_hw, np.float32)))
    noise = gpu.copy(gpu.table("first noise", lambda: np.array([FIRST_NOISE], np.float32)))
    return weight, gpu.zeros(grid_hw, np.float32), noise
