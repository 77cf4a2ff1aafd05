"""The CUDA kernels against the CPU's, call by call: here as C++ on the CPU, and as they are where a GPU is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels import Kernels

from .parity_table import PARITY

Depth = NDArray[np.float32]
SIZES_HW = [(1, 1), (1, 9), (7, 2), (37, 53), (96, 128)]


def same(name: str, ours: Any, cpus: Any) -> None:
    """Within the table's tolerance, with the same shape and dtype."""
    assert ours.shape == cpus.shape
    assert ours.dtype == cpus.dtype
    apart = np.abs(ours.astype(np.float64) - cpus.astype(np.float64))
    assert apart.max(initial=0.0) <= PARITY[name].most, f"{name}: most {apart.max()}, mean {apart.mean()}"
    assert apart.mean() <= PARITY[name].mean, f"{name}: mean {apart.mean()}, most {apart.max()}"


def scene_depth(size_hw: tuple[int, int], seed: int = 0) -> Depth:
    """A slope with a near thing before it, and noise."""
    rng, (height, width) = np.random.default_rng(seed), size_hw
    y, x = np.mgrid[:height, :width] / max(size_hw)
    near = np.hypot(y - 0.3, x - 0.4) < 0.2
    return np.clip(np.where(near, 0.8, 0.1 + 0.4 * y) + rng.normal(0, 0.01, size_hw), 0, 1).astype(np.float32)


@pytest.mark.parametrize("size_hw", SIZES_HW)
@pytest.mark.parametrize("to_hw", [(1, 1), (20, 31), (96, 128), (131, 200)])
def test_resize(kernels: Kernels, cuda: Any, size_hw: tuple[int, int], to_hw: tuple[int, int]) -> None:
    depth = scene_depth(size_hw)
    same("resize", cuda.resize(depth, to_hw), kernels.resize(depth, to_hw))


@pytest.mark.parametrize("size_hw", SIZES_HW)
@pytest.mark.parametrize("size", [3, 5])
def test_median(kernels: Kernels, cuda: Any, size_hw: tuple[int, int], size: int) -> None:
    depth = scene_depth(size_hw)
    same("median", cuda.smooth(depth, size, 0), kernels.smooth(depth, size, 0))


@pytest.mark.parametrize("size_hw", SIZES_HW)
@pytest.mark.parametrize("size", [3, 7, 15])
def test_gaussian(kernels: Kernels, cuda: Any, size_hw: tuple[int, int], size: int) -> None:
    depth = scene_depth(size_hw)
    same("gaussian", cuda.smooth(depth, 0, size), kernels.smooth(depth, 0, size))


@pytest.mark.parametrize("count", [1, 2, 6, 16])
def test_cluster_update(kernels: Kernels, cuda: Any, rng: np.random.Generator, count: int) -> None:
    centres, weights = np.linspace(0.95, 0.05, count), np.zeros(count)
    for _ in range(5):
        samples = rng.choice(scene_depth((40, 50), 1).ravel(), 700)
        ours, cpus = (k.cluster_update(samples, centres, weights) for k in (cuda, kernels))
        same("cluster_update", ours[0], cpus[0])
        same("cluster_update", ours[1], cpus[1])
        centres, weights = cpus


@pytest.mark.parametrize("count", [1, 2, 6, 16])
def test_assign(kernels: Kernels, cuda: Any, count: int) -> None:
    depth, centres = scene_depth((37, 53)), np.linspace(1.0, 0.0, count) ** 2
    depth[0, : count - 1] = (centres[1:] + centres[:-1]) / 2.0  # half-way: which one is a matter of the rule
    same("assign", cuda.assign(depth, centres), kernels.assign(depth, centres))
