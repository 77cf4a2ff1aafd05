"""Depth with the edges of the picture: where it helps, and where it must not touch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, load
from pullfocus.kernels.api import InverseDepth, Picture

NEAR, FAR = 0.7, 0.2


def disc(size_hw: tuple[int, int], off_px: float = 0.0) -> NDArray[np.bool_]:
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    return np.hypot(y - height / 2, x - width / 2 - off_px) < height / 4


def as_a_net_tells_it(depth: InverseDepth, rng: np.random.Generator) -> InverseDepth:
    """Four times smaller, soft and noisy."""
    height, width = depth.shape
    small = cv2.resize(depth, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    return (cv2.GaussianBlur(small, (0, 0), 1.0) + rng.normal(0, 0.005, small.shape)).astype(np.float32)


def scene(
    rng: np.random.Generator, near: tuple[int, int, int], far: tuple[int, int, int]
) -> tuple[Picture, InverseDepth, NDArray[np.bool_]]:
    """A disc before a wall in two colours with a little noise; its true depth; where the disc is."""
    inside = disc((240, 320))
    picture = np.where(inside[..., None], near, far) + rng.normal(0, 6, (240, 320, 3))
    return np.clip(picture, 0, 255).astype(np.uint8), np.where(inside, NEAR, FAR).astype(np.float32), inside


@pytest.mark.parametrize("off_px", [0, 2])
def test_edges_come_from_the_picture(kernels: Kernels, rng: np.random.Generator, off_px: int) -> None:
    picture, truth, _ = scene(rng, (200, 120, 60), (60, 90, 160))
    small = as_a_net_tells_it(np.roll(truth, off_px, axis=1), rng)
    plain = np.abs(kernels.resize(small, (240, 320)) - truth)
    edged = np.abs(kernels.upsample(small, picture) - truth)
    assert np.mean(edged > 0.1) < 0.15 * np.mean(plain > 0.1)


def test_alike_colours_leave_the_edge_where_depth_has_it(kernels: Kernels, rng: np.random.Generator) -> None:
    picture, truth, inside = scene(rng, (120, 120, 120), (121, 120, 119))
    out = kernels.upsample(as_a_net_tells_it(truth, rng), picture)
    wrong = (out > (NEAR + FAR) / 2) != inside
    away_px = cv2.distanceTransform((~wrong).astype(np.uint8), cv2.DIST_L2, 3)
    assert np.mean(wrong) < 0.006
    assert np.mean(np.abs(out - truth) > 0.1) < 0.02
    assert away_px.max() > 20  # and the errors are at the edge, not all over


def test_slope_stays_a_slope(kernels: Kernels, rng: np.random.Generator) -> None:
    """A floor gains no steps, whatever is painted on it."""
    small = np.linspace(0.05, 0.95, 60, dtype=np.float32)[:, None].repeat(80, axis=1)
    picture = np.repeat(np.repeat(rng.integers(0, 256, (24, 32, 3), np.uint8), 10, axis=0), 10, axis=1)
    np.testing.assert_allclose(kernels.upsample(small, picture), kernels.resize(small, (240, 320)), atol=2e-3)


def test_flat_depth_stays_flat(kernels: Kernels, rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (120, 160, 3), np.uint8)
    np.testing.assert_allclose(kernels.upsample(np.full((30, 40), 0.4, np.float32), picture), 0.4, atol=1e-6)


def test_depth_of_the_pictures_size_is_left_alone(kernels: Kernels, rng: np.random.Generator) -> None:
    depth = rng.random((60, 80), np.float32)
    np.testing.assert_array_equal(kernels.upsample(depth, rng.integers(0, 256, (60, 80, 3), np.uint8)), depth)


def test_mirrored_input_gives_the_mirrored_output(kernels: Kernels, rng: np.random.Generator) -> None:
    picture, truth, _ = scene(rng, (200, 120, 60), (60, 90, 160))
    small = as_a_net_tells_it(np.roll(truth, 20, axis=1), rng)
    out = kernels.upsample(small, picture)
    for axis in (0, 1):
        turned = kernels.upsample(np.flip(small, axis).copy(), np.flip(picture, axis).copy())
        np.testing.assert_allclose(np.flip(turned, axis), out, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(1, 200), st.integers(1, 200)), st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_any_sizes_stay_in_range_and_change_no_input(picture_hw: tuple[int, int], depth_hw: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(picture_hw) + sum(depth_hw))
    picture, depth = rng.integers(0, 256, (*picture_hw, 3), np.uint8), rng.random(depth_hw, np.float32)
    before = picture.copy(), depth.copy()
    out = load("cpu").upsample(depth, picture)
    assert out.shape == picture_hw
    assert out.dtype == np.float32
    assert depth.min() - 1e-4 <= out.min() <= out.max() <= depth.max() + 1e-4
    np.testing.assert_array_equal(picture, before[0])
    np.testing.assert_array_equal(depth, before[1])


def test_a_third_surface_between_two_others_stays_where_it_is(kernels: Kernels, rng: np.random.Generator) -> None:
    """A narrow step half-way between floor and wall is no ramp."""
    truth = np.full((240, 320), FAR, np.float32)
    truth[:, 152:168], truth[:, 168:] = (NEAR + FAR) / 2, NEAR
    picture = (np.where(truth > 0.6, 200, 60)[..., None] + rng.normal(0, 6, (240, 320, 3))).astype(np.uint8)
    small = cv2.resize(truth, (80, 60), interpolation=cv2.INTER_AREA).astype(np.float32)
    middle = (slice(16, 224), slice(155, 165))
    assert np.abs(kernels.upsample(small, picture) - truth)[middle].mean() < 0.02
