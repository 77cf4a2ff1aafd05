"""Depth through time, kernel by kernel, on scenes whose motion and depth are known."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, load
from pullfocus.kernels.api import Picture
from pullfocus.kernels.belief import Belief, Motion

from .ported import Ported

GRID_HW, DEPTH_HW = (96, 128), (192, 256)


@pytest.fixture(scope="module", params=["cpu", "shim", pytest.param("gpu", marks=pytest.mark.gpu)])
def kernels(request: pytest.FixtureRequest) -> Kernels:
    """Of both devices: flow is searched for in two ways, and both must find it."""
    if request.param == "cpu":
        return load("cpu")
    of_cuda = (
        request.getfixturevalue("both_ways")[0]
        if request.param == "shim"
        else Ported(request.getfixturevalue("on_gpu"))
    )
    return cast(Kernels, of_cuda)


def texture(size_hw: tuple[int, int] = GRID_HW, seed: int = 0) -> Picture:
    noise = np.random.default_rng(seed).uniform(0, 255, (*size_hw, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(smooth, smooth.copy(), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def flat(value: float, size_hw: tuple[int, int] = DEPTH_HW) -> NDArray[np.float32]:
    return np.full(size_hw, value, np.float32)


def at_rest(stirred: float = 0.0) -> Motion:
    nothing = flat(0.0, GRID_HW)
    return Motion(np.zeros((*GRID_HW, 2), np.float32), nothing, nothing + np.float32(stirred))


# ---- shrink


def test_shrink_is_about_the_mean_of_what_a_pixel_covers(kernels: Kernels) -> None:
    photo = np.asarray(cv2.resize(texture((90, 160)), (1280, 720), interpolation=cv2.INTER_CUBIC), np.uint8)
    small = kernels.shrink(photo, GRID_HW)
    true = cv2.resize(photo, GRID_HW[::-1], interpolation=cv2.INTER_AREA)
    assert small.shape == (*GRID_HW, 3)
    assert np.abs(small.astype(int) - true).mean() < 1.0


def test_shrink_averages_noise_away(kernels: Kernels, rng: np.random.Generator) -> None:
    grey = np.clip(rng.normal(128, 16, (720, 1280, 3)), 0, 255).astype(np.uint8)
    assert kernels.shrink(grey, GRID_HW).std() < 16 / 2  # four bilinear samples


def test_shrink_takes_pictures_smaller_than_the_grid(kernels: Kernels) -> None:
    assert np.all(kernels.shrink(np.full((5, 3, 3), 77, np.uint8), GRID_HW) == 77)


# ---- motion


@pytest.mark.parametrize("fine", [False, True])
def test_flow_says_where_pixels_come_from(kernels: Kernels, fine: bool) -> None:
    before = texture()
    now = np.roll(before, (2, 5), axis=(0, 1))  # everything moves right by 5 and down by 2
    motion = kernels.motion(now, before, fine)
    inner = (slice(16, -16), slice(16, -16))
    np.testing.assert_allclose(np.median(motion.flow[inner], axis=(0, 1)), (-5, -2), atol=0.1)
    assert motion.new[inner].mean() < 0.05  # motion explains it
    assert motion.stirred[inner].mean() > 0.9  # and yet nothing looks as it did


def test_nothing_moves_in_a_still_noisy_picture(kernels: Kernels, rng: np.random.Generator) -> None:
    pictures = [np.clip(texture() + rng.normal(0, 1.0, (*GRID_HW, 3)), 0, 255).astype(np.uint8) for _ in range(2)]
    motion = kernels.motion(pictures[1], pictures[0])
    assert motion.new.max() == 0.0
    assert motion.stirred.mean() < 0.02
    same = kernels.motion(pictures[0], pictures[0])
    assert np.abs(same.flow).max() == 0.0


def test_what_appears_is_new_and_stirs_its_surroundings(kernels: Kernels) -> None:
    before = np.full((*GRID_HW, 3), 90, np.uint8)
    now = before.copy()
    now[40:60, 50:80] = (200, 80, 60)
    motion = kernels.motion(now, before)
    assert motion.new[42:58, 52:78].min() == 1.0
    assert motion.new[:30].max() == 0.0
    assert motion.stirred[38:62, 48:82].min() == 1.0
    assert motion.stirred[:30].max() == 0.0


def test_what_comes_in_at_the_border_is_new(kernels: Kernels) -> None:
    wide = texture((96, 160))
    motion = kernels.motion(wide[:, 24:152].copy(), wide[:, 16:144].copy())  # the camera turns right by 8
    assert motion.new[8:-8, -6:].mean() > 0.8
    assert motion.new[8:-8, 16:-16].mean() < 0.05


@pytest.mark.parametrize("size_hw", [(8, 8), (24, 90), (31, 200), (64, 64)])
def test_tiny_pictures_are_taken_as_still(kernels: Kernels, size_hw: tuple[int, int]) -> None:
    before = texture(size_hw)
    motion = kernels.motion(np.roll(before, 1, axis=1), before)
    assert np.abs(motion.flow).max() == 0.0
    assert motion.new.shape == size_hw


# ---- carry


def test_carry_moves_depth_with_the_picture(kernels: Kernels) -> None:
    depth = flat(0.2)
    depth[80:120, 100:140] = 0.9
    flow = np.zeros((*GRID_HW, 2), np.float32)
    flow[...] = (-5, 2)  # of the pictures' grid; depth's is twice as fine
    moved = kernels.carry(Belief.first(depth, GRID_HW), Motion(flow, flat(0.0, GRID_HW), flat(0.0, GRID_HW)))
    expected = flat(0.2)
    expected[76:116, 110:150] = 0.9
    np.testing.assert_allclose(moved.depth, expected, atol=1e-6)
    assert moved.weight.min() == 1.0


def test_carry_forgets_where_the_picture_is_new_and_remembers_what_was_stirred(kernels: Kernels) -> None:
    motion = at_rest()
    motion.new[10:20] = 1.0
    motion.stirred[:, 5:9] = 0.7
    once = kernels.carry(Belief.first(flat(0.5), GRID_HW), motion)
    assert once.weight[10:20].max() == 0.0
    assert once.weight[30:].min() == 1.0
    twice = kernels.carry(once, at_rest())
    np.testing.assert_array_equal(twice.stirred[:, 5:9], np.float32(0.7))


# ---- fuse


def test_noise_of_a_still_scene_is_averaged_away(kernels: Kernels, rng: np.random.Generator) -> None:
    belief, noise = Belief.first(flat(0.5), GRID_HW), 0.01
    kept: list[NDArray[np.float32]] = []
    for _ in range(60):
        new = flat(0.5) + cv2.resize(rng.normal(0, noise, GRID_HW), DEPTH_HW[::-1]).astype(np.float32)
        belief = kernels.fuse(kernels.carry(belief, at_rest()), new)
        kept.append(belief.depth)
    steps = np.abs(np.diff(kept[20:], axis=0)).mean() / np.abs(np.diff(rng.normal(0, noise, 10_000))).mean()
    assert steps < 0.25
    assert abs(np.mean(kept[-1]) - 0.5) < 1e-3
    assert belief.noise == pytest.approx(noise, rel=0.4)


def test_a_steady_approach_is_followed_within_the_noise(kernels: Kernels, rng: np.random.Generator) -> None:
    belief, noise, speed = Belief.first(flat(0.2), GRID_HW), 0.006, 0.005
    for frame in range(1, 90):  # 3 s from 2.5 m to 0.8 m, with nothing in the picture that shows it
        true = 0.2 + speed * frame
        new = flat(true) + cv2.resize(rng.normal(0, noise, GRID_HW), DEPTH_HW[::-1]).astype(np.float32)
        belief = kernels.fuse(kernels.carry(belief, at_rest()), new)
        if frame > 5:
            assert abs(true - float(np.mean(belief.depth))) < 2 * speed  # and never two frames behind


@pytest.mark.parametrize("step", [0.03, 0.3])
def test_what_the_picture_shows_to_be_new_is_believed_at_once(kernels: Kernels, step: float) -> None:
    belief = Belief.first(flat(0.4), GRID_HW)
    for _ in range(20):
        belief = kernels.fuse(kernels.carry(belief, at_rest()), flat(0.4))
    motion = at_rest()
    motion.new[20:60] = 1.0
    new = kernels.fuse(kernels.carry(belief, motion), flat(0.4 + step)).depth
    np.testing.assert_allclose(new[44:116], 0.4 + step, atol=1e-6)


def test_a_jump_of_depth_is_noise_unless_something_stirs(kernels: Kernels) -> None:
    belief = Belief.first(flat(0.4), GRID_HW)
    for _ in range(20):
        belief = kernels.fuse(kernels.carry(belief, at_rest()), flat(0.4))
    new = flat(0.4)
    new[80:100, 100:120] = 0.7
    quiet = kernels.fuse(kernels.carry(belief, at_rest()), new).depth[90, 110]
    stirred = kernels.fuse(kernels.carry(belief, at_rest(stirred=1.0)), new).depth[90, 110]
    assert stirred == pytest.approx(0.7, abs=1e-6)
    assert quiet < 0.7 - 0.02


unit = st.floats(0, 1, width=32)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float32, (8, 12), elements=unit),
    arrays(np.float32, (8, 12), elements=unit),
    arrays(np.float32, (4, 6), elements=unit),
    st.integers(0, 2**31),
)
def test_fused_depth_lies_between_what_was_known_and_what_is_new(
    known: NDArray[np.float32], new: NDArray[np.float32], stirred: NDArray[np.float32], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0, 8, (4, 6)).astype(np.float32)
    drift = rng.normal(0, 0.1, (4, 6)).astype(np.float32)
    belief = Belief(known, weight, drift, stirred, 0.006)
    before = {field.name: np.copy(getattr(belief, field.name)) for field in fields(belief)}
    fused = load("cpu").fuse(belief, new)
    assert np.all(fused.depth >= np.minimum(known, new) - 1e-6)
    assert np.all(fused.depth <= np.maximum(known, new) + 1e-6)
    assert np.all((fused.weight >= 1.0 - 1e-6) & (fused.weight <= 8.0))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(belief, name), value)
