"""Depth through time on CUDA against the CPU's. What motion must find is in `test_temporal.py`, for both."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import cv2
import numpy as np
import pytest
from pullfocus.kernels import Kernels
from pullfocus.kernels.belief import Belief, Motion

from .parity import photo, same, scene_depth

SIZES_HW = [((1, 1), (1, 1)), ((9, 13), (4, 6)), ((96, 128), (48, 64)), ((97, 131), (48, 65))]

sizes = pytest.mark.parametrize(("depth_hw", "grid_hw"), SIZES_HW)


def smooth_noise(rng: np.random.Generator, size_hw: tuple[int, int], size: float) -> Any:
    return cv2.GaussianBlur(rng.normal(0, size, size_hw).astype(np.float32), (0, 0), 2)


def belief_of(rng: np.random.Generator, depth_hw: tuple[int, int], grid_hw: tuple[int, int]) -> Belief:
    weight, stirred = rng.uniform(0, 8, grid_hw).astype(np.float32), rng.random(grid_hw, np.float32)
    return Belief(scene_depth(depth_hw), weight, smooth_noise(rng, grid_hw, 0.02), stirred, 0.006)


def same_belief(name: str, ours: Belief, cpus: Belief) -> None:
    for part in fields(Belief):
        same(name, *(np.asarray(getattr(belief, part.name)) for belief in (ours, cpus)))


@sizes
def test_carry(
    kernels: Kernels, cuda: Any, rng: np.random.Generator, depth_hw: tuple[int, int], grid_hw: tuple[int, int]
) -> None:
    flow = np.dstack([smooth_noise(rng, grid_hw, 8.0) for _ in range(2)]).astype(np.float32)
    motion = Motion(flow, rng.random(grid_hw, np.float32), rng.random(grid_hw, np.float32))
    y, x = np.mgrid[: depth_hw[0], : depth_hw[1]].astype(np.float32) / max(depth_hw)
    smooth = np.float32(0.3) + np.float32(0.3) * y * x
    weight, drift, stirred = (smooth_noise(rng, grid_hw, 0.5) for _ in range(3))
    known = Belief(smooth, weight, drift, stirred, 0.006)
    same_belief("carry", cuda.carry(known, motion), kernels.carry(known, motion))


@sizes
def test_fuse(
    kernels: Kernels, cuda: Any, rng: np.random.Generator, depth_hw: tuple[int, int], grid_hw: tuple[int, int]
) -> None:
    ours = cpus = belief_of(rng, depth_hw, grid_hw)
    for _ in range(4):
        new = scene_depth(depth_hw, int(rng.integers(99)))
        ours, cpus = cuda.fuse(ours, new), kernels.fuse(cpus, new)
        same_belief("fuse", ours, cpus)


@pytest.mark.parametrize("size_hw", [(24, 30), (96, 128)])
def test_motion_where_nothing_moves(
    kernels: Kernels, cuda: Any, rng: np.random.Generator, size_hw: tuple[int, int]
) -> None:
    before = photo(size_hw)
    now = np.clip(before + rng.normal(0, 2, before.shape), 0, 255).astype(np.uint8)
    now[: size_hw[0] // 3, : size_hw[1] // 3] //= 2  # and something is new
    ours, cpus = cuda.motion(now, before), kernels.motion(now, before)
    same("motion", ours.stirred, cpus.stirred)
    same("motion", ours.new, cpus.new)
