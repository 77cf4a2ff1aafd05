"""The CUDA kernels against the CPU's, call by call: here as C++ on the CPU, and as they are where a GPU is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pullfocus.kernels import Kernels

from .parity import same, scene_depth

SIZES_HW = [(1, 1), (1, 9), (7, 2), (37, 53), (96, 128)]


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


def test_update_without_samples_changes_nothing(cuda: Any) -> None:
    centres, weights = cuda.cluster_update(np.zeros(0, np.float32), np.array([0.9, 0.1]), np.array([3.0, 4.0]))
    np.testing.assert_array_equal(centres, [0.9, 0.1])
    np.testing.assert_array_equal(weights, [3.0, 4.0])


@pytest.mark.parametrize("count", [1, 2, 6, 16])
def test_assign(kernels: Kernels, cuda: Any, count: int) -> None:
    depth, centres = scene_depth((37, 53)), np.linspace(1.0, 0.0, count) ** 2
    depth[0, : count - 1] = (centres[1:] + centres[:-1]) / 2.0  # half-way: which one is a matter of the rule
    same("assign", cuda.assign(depth, centres), kernels.assign(depth, centres))
