"""Depth through time: motion, and what is known moved along and fused. See `...api.Kernels` and `..cpu.temporal`."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..belief import FIRST_NOISE, Belief, Motion
from ..cpu import temporal as cpu
from .depth import shrink_plane
from .launch import DeviceArray, Kernel, Launcher

SMALLEST_PX = 12  # the shorter side of the smallest picture that motion is looked for in
GREY, TRACK, MEDIAN = (Kernel("flow.cu", name) for name in ("grey", "track", "median_flow"))
MOVED, EXPLAINED, STIR = (Kernel("moved.cu", name) for name in ("moved", "explained", "stir"))
INNOVATION, STRAYED, MIDDLE, GAINS, BELIEVE, CARRY_DEPTH, CARRY_PAST = (
    Kernel("belief.cu", name)
    for name in ("innovation", "strayed", "middle_two", "gains", "believe", "carry_depth", "carry_past")
)

_RULE = np.dtype([(name, np.float32) for name in ("outlier_sigmas", "drift_rate", "usual_sigmas", "burst_sigmas",
                  "longest", "noise_rate", "noise_least", "noise_most", "least_samples")])  # fmt: skip


def motion(gpu: Launcher, now: DeviceArray, before: DeviceArray) -> Motion:
    height, width = size_hw = now.shape[0], now.shape[1]
    extent = width, height
    flow = _flow(gpu, now, before)
    there, still = gpu.empty(now.shape, np.uint8), gpu.empty(size_hw, np.uint8)
    gpu.launch(MOVED, extent, before, flow, there, height, width)
    trusted, (new, stirred) = gpu.empty((*size_hw, 2), np.float32), (gpu.empty(size_hw, np.float32) for _ in range(2))
    gpu.launch(EXPLAINED, extent, now, before, there, flow, trusted, new, still, height, width)
    gpu.launch(STIR, extent, still, stirred, height, width)
    return Motion(*(cast("NDArray[np.float32]", part) for part in (trusted, new, stirred)))


def _flow(gpu: Launcher, now: DeviceArray, before: DeviceArray) -> DeviceArray:
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


def _greys(gpu: Launcher, picture: DeviceArray) -> list[DeviceArray]:
    """Grey, at the picture's size, at half of it …"""
    height, width = picture.shape[:2]
    levels = [gpu.empty((height, width), np.float32)]
    gpu.launch(GREY, (height * width,), picture, height * width, levels[0])
    while min(height, width) >= 2 * SMALLEST_PX:
        height, width = -(-height // 2), -(-width // 2)
        levels.append(shrink_plane(gpu, levels[-1], (height, width)))
    return levels


def carry(gpu: Launcher, belief: Belief, motion: Motion) -> Belief:
    (height, width), (high, wide) = belief.depth.shape, belief.weight.shape
    depth = gpu.empty((height, width), np.float32)
    gpu.launch(CARRY_DEPTH, (width, height), belief.depth, height, width, motion.flow, high, wide, depth)
    weight, drift, stirred = past = [gpu.empty((high, wide), np.float32) for _ in range(3)]
    gpu.launch(CARRY_PAST, (wide, high), belief.weight, belief.drift, belief.stirred, motion.flow, motion.new,
               motion.stirred, *past, high, wide)  # fmt: skip
    return _belief(depth, weight, drift, stirred, belief.noise)


def fuse(gpu: Launcher, belief: Belief, new: DeviceArray) -> Belief:
    """`Belief.noise` of the result is an array of one: to have it as a number one would have to wait."""
    (height, width), (high, wide) = belief.depth.shape, belief.weight.shape
    coarse, gain, weight, drift = (gpu.empty((high, wide), np.float32) for _ in range(4))
    gpu.launch(INNOVATION, (wide, high), belief.depth, new, height, width, coarse, high, wide)
    noise, depth = gpu.empty((1,), np.float32), gpu.empty((height, width), np.float32)
    gpu.launch(GAINS, (wide, high), coarse, belief.weight, belief.drift, belief.stirred, _noise(gpu, belief),
               _middle(gpu, belief, coarse), _rule(), gain, weight, drift, noise, high, wide)  # fmt: skip
    gpu.launch(BELIEVE, (width, height), belief.depth, new, height, width, gain, high, wide, depth)
    return _belief(depth, weight, drift, gpu.zeros((high, wide), np.float32), noise)


def _middle(gpu: Launcher, belief: Belief, coarse: DeviceArray) -> DeviceArray:
    """Of how far settled cells strayed, the two values in the middle; and how many there are."""
    high, wide = coarse.shape
    rows, columns = sampled = -(-high // 4), -(-wide // 4)
    values, middle = gpu.empty(sampled, np.float32), gpu.zeros((3,), np.float32)
    gpu.launch(STRAYED, (columns, rows), coarse, belief.drift, belief.weight, cpu.SETTLED, wide, values, *sampled)
    gpu.launch(MIDDLE, (rows * columns,), values, rows * columns, middle)
    return middle


def _rule() -> NDArray[Any]:
    usual = cpu.DRIFT_SIGMAS * (cpu.DRIFT_RATE / (2.0 - cpu.DRIFT_RATE)) ** 0.5
    steps = cpu.OUTLIER_SIGMAS, cpu.DRIFT_RATE, usual, cpu.BURST_SIGMAS, cpu.LONGEST
    return np.array([(*steps, cpu.NOISE_RATE, *cpu.NOISE_RANGE, cpu.LEAST_SAMPLES)], _RULE)


def first_belief(gpu: Launcher, depth: DeviceArray, grid_hw: tuple[int, int]) -> Belief:
    nothing = gpu.zeros(grid_hw, np.float32)
    weight = gpu.copy(gpu.table(("ones", grid_hw), lambda: np.ones(grid_hw, np.float32)))
    return _belief(
        depth, weight, nothing, nothing, gpu.copy(gpu.table("first noise", lambda: np.array([FIRST_NOISE], np.float32)))
    )


def _noise(gpu: Launcher, belief: Belief) -> DeviceArray:
    """There, whether it has been a number or not."""
    noise: Any = belief.noise
    return gpu.upload(np.array([noise], np.float32)) if isinstance(noise, float) else noise


def _belief(depth: DeviceArray, weight: DeviceArray, drift: DeviceArray, stirred: DeviceArray, noise: Any) -> Belief:
    """Its arrays are on the GPU, whatever their annotation says."""
    values, *grids = (cast("NDArray[np.float32]", part) for part in (depth, weight, drift, stirred))
    return Belief(values, grids[0], grids[1], grids[2], noise)
