"""Depth with the edges of the picture, on CUDA against the CPU's."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from pullfocus.kernels import Kernels
from pullfocus.kernels.api import InverseDepth, Picture

from .parity import photo, same, scene_depth

NEAR, FAR = 0.7, 0.2


def disc_scene(rng: np.random.Generator) -> tuple[Picture, InverseDepth, InverseDepth]:
    """A disc before a wall in two colours; its depth, and that as a net tells it: four times smaller, and soft."""
    y, x = np.mgrid[:240, :320]
    inside = np.hypot(y - 120, x - 170) < 60
    picture = np.where(inside[..., None], (200, 120, 60), (60, 90, 160)) + rng.normal(0, 6, (240, 320, 3))
    truth = np.where(inside, NEAR, FAR).astype(np.float32)
    small = cv2.GaussianBlur(cv2.resize(truth, (80, 60), interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    return np.clip(picture, 0, 255).astype(np.uint8), truth, small.astype(np.float32)


def test_upsample_of_an_edge(kernels: Kernels, cuda: Any, rng: np.random.Generator) -> None:
    picture, truth, small = disc_scene(rng)
    ours = cuda.upsample(small, picture)
    same("upsample", ours, kernels.upsample(small, picture))
    plain = np.abs(kernels.resize(small, (240, 320)) - truth)
    assert np.mean(np.abs(ours - truth) > 0.1) < 0.15 * np.mean(plain > 0.1)


@pytest.mark.parametrize("size_hw", [(180, 240), (181, 243), (97, 203)])
@pytest.mark.parametrize("depth_hw", [(60, 80), (45, 61), (24, 32)])
def test_upsample(kernels: Kernels, cuda: Any, size_hw: tuple[int, int], depth_hw: tuple[int, int]) -> None:
    picture, depth = photo(size_hw), scene_depth(depth_hw)
    same("upsample", cuda.upsample(depth, picture), kernels.upsample(depth, picture))


@pytest.mark.parametrize("depth_hw", [(1, 1), (1, 9), (3, 2), (9, 11), (400, 3)])
def test_any_sizes_stay_in_range(kernels: Kernels, cuda: Any, depth_hw: tuple[int, int]) -> None:
    picture, depth = photo((90, 120)), scene_depth(depth_hw)
    out = cuda.upsample(depth, picture)
    assert out.shape == (90, 120)
    assert depth.min() - 1e-4 <= out.min() <= out.max() <= depth.max() + 1e-4


def test_slope_stays_a_slope_and_flat_stays_flat(cuda: Any) -> None:
    slope = np.linspace(0.05, 0.95, 60, dtype=np.float32)[:, None].repeat(80, axis=1)
    np.testing.assert_allclose(cuda.upsample(slope, photo((240, 320))), cuda.resize(slope, (240, 320)), atol=2e-3)
    flat = np.full((30, 40), 0.4, np.float32)
    np.testing.assert_allclose(cuda.upsample(flat, photo((120, 160))), 0.4, atol=1e-6)


def test_mirrored_input_gives_the_mirrored_output(cuda: Any, rng: np.random.Generator) -> None:
    picture, _, small = disc_scene(rng)
    out = cuda.upsample(small, picture)
    for axis in (0, 1):
        turned = cuda.upsample(*(np.ascontiguousarray(np.flip(a, axis)) for a in (small, picture)))
        np.testing.assert_allclose(np.flip(turned, axis), out, atol=1e-3)
