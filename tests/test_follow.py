"""A point follows the thing under it: known motion, known depth."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.stream.follow import HOLD_S, GreyCopy, PointAim, depth_at
from pullfocus.stream.frame import Frame, Sensed
from pullfocus.stream.targets import Point

from .scene import CENTRES, puller

SIZE_HW = (180, 320)
PATCH_PX = 60
NEAR, FAR, RATE = 0.7, 0.2, 30


def texture(size_hw: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(0.0, 1.0, (*size_hw, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.clip(128 + 300 * smooth, 0, 255).astype(np.uint8)


WALL, THING = texture(SIZE_HW, 1), texture((PATCH_PX, PATCH_PX), 2)


def paste(onto: NDArray[np.generic], what: NDArray[np.generic] | float, x: int, y: int) -> None:
    """`what`, as large as the thing, with its middle at x, y; cut at the border."""
    left, top = x - PATCH_PX // 2, y - PATCH_PX // 2
    height, width = SIZE_HW
    rows, columns = slice(max(0, top), min(height, top + PATCH_PX)), slice(max(0, left), min(width, left + PATCH_PX))
    full = np.broadcast_to(what, (PATCH_PX, PATCH_PX, *onto.shape[2:]))
    if rows.stop > rows.start and columns.stop > columns.start:
        onto[rows, columns] = full[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def scene(index: int, at: tuple[float, float] | None, depth: float = NEAR, cover: float | None = None) -> Sensed:
    """The thing at `at` before the wall, perhaps covered by something plain of inverse depth `cover`."""
    picture, inverse_depth = WALL.copy(), np.full(SIZE_HW, FAR, np.float32)
    if at is not None:
        x, y = round(at[0]), round(at[1])
        paste(picture, THING, x, y)
        paste(inverse_depth, depth, x, y)
        if cover is not None:
            paste(picture, np.array([90, 60, 50], np.uint8), x, y)
            paste(inverse_depth, cover, x, y)
    return Sensed(Frame(picture, index, index, Fraction(1, RATE)), inverse_depth)


def follow(
    path: Callable[[int], tuple[float, float] | None], frames: int, depth: Callable[[int], float] = lambda _i: NEAR
) -> tuple[PointAim, list[float]]:
    start = path(0)
    assert start is not None
    aim = PointAim(Point(start[0] / SIZE_HW[1], start[1] / SIZE_HW[0]))
    return aim, [aim(scene(i, path(i), depth(i)), CENTRES) for i in range(frames)]


@settings(max_examples=15, deadline=None)
@given(st.floats(-5, 5), st.floats(-2.5, 2.5))
def test_a_thing_is_followed_wherever_it_moves(dx: float, dy: float) -> None:
    aim, depths = follow(lambda i: (160 + i * dx, 90 + i * dy), 20)
    assert depths == pytest.approx([NEAR] * 20)
    x, y = aim.place
    assert (x * SIZE_HW[1], y * SIZE_HW[0]) == pytest.approx((160 + 19 * dx, 90 + 19 * dy), abs=2.5)


def test_its_depth_is_followed_when_it_comes_nearer() -> None:
    _, depths = follow(lambda i: (100 + 2 * i, 90), 40, depth=lambda i: 0.3 + 0.01 * i)
    assert depths == pytest.approx([0.3 + 0.01 * i for i in range(40)])


def test_a_thing_that_turns_and_grows_is_followed() -> None:
    aim = PointAim(Point(0.5, 0.5))
    for i in range(30):
        turn = cv2.getRotationMatrix2D((160.0, 90.0), 1.5 * i, 1.0 + 0.02 * i)
        turn[0, 2] += 2 * i
        plain = scene(0, (160, 90))
        picture = cv2.warpAffine(plain.frame.picture, turn, SIZE_HW[::-1], borderMode=cv2.BORDER_REFLECT)
        depth = cv2.warpAffine(plain.inverse_depth, turn, SIZE_HW[::-1], borderMode=cv2.BORDER_REPLICATE)
        moved = Sensed(Frame(np.asarray(picture, np.uint8), i, i, Fraction(1, RATE)), np.asarray(depth, np.float32))
        assert aim(moved, CENTRES) == pytest.approx(NEAR)
    assert aim.place == pytest.approx(((160 + 58) / 320, 0.5), abs=0.02)


def test_a_thing_that_leaves_keeps_the_focus_for_a_while_then_what_is_there_has_it() -> None:
    frames = round((HOLD_S + 1.5) * RATE)
    _, depths = follow(lambda i: (260 + 6 * i, 90), frames)
    gone = (320 + PATCH_PX // 2 - 260) // 6
    assert depths[: gone + round((HOLD_S - 0.4) * RATE)] == pytest.approx(
        [NEAR] * (gone + round((HOLD_S - 0.4) * RATE))
    )
    assert depths[-1] == pytest.approx(FAR)


@pytest.mark.parametrize("cover", [0.95, 0.4])
def test_a_thing_that_is_covered_is_taken_up_again(cover: float) -> None:
    aim, depths = PointAim(Point(0.5, 0.5)), list[float]()
    for i in range(60):
        depths.append(aim(scene(i, (160, 90), cover=cover if 10 <= i < 30 else None), CENTRES))
    assert depths == pytest.approx([NEAR] * 60)
    for i in range(60, 80):  # … and is followed
        depths.append(aim(scene(i, (160 + 3 * (i - 59), 90)), CENTRES))
    assert depths[-1] == pytest.approx(NEAR)
    assert aim.place[0] * 320 == pytest.approx(220, abs=3)


def test_a_cut_to_another_picture_holds_and_a_reset_looks_at_the_point_anew() -> None:
    puller_ = puller(Point(0.5, 0.5))
    for i in range(5):
        puller_.plan(scene(i, (160, 90)), CENTRES)
    other = scene(5, None)
    flipped = Sensed(Frame(other.frame.picture[::-1].copy(), 5, 5, Fraction(1, RATE)), other.inverse_depth)
    assert puller_.plan(flipped, CENTRES).inverse_depth == pytest.approx(NEAR)
    puller_.reset()
    assert puller_.plan(flipped, CENTRES).inverse_depth == pytest.approx(FAR)


def test_without_corners_the_focus_is_on_what_is_at_the_point() -> None:
    plain = Frame(np.full((*SIZE_HW, 3), 99, np.uint8), 0, 0, Fraction(1, RATE))
    aim = PointAim(Point(0.25, 0.75))
    for depth in (0.2, 0.9, 0.4):
        assert aim(Sensed(plain, np.full(SIZE_HW, depth, np.float32)), CENTRES) == pytest.approx(depth)
    assert aim.place == (0.25, 0.75)


@pytest.mark.parametrize("point", [(0, 0), (1, 1), (0, 1), (1, 0)])
def test_a_point_in_a_corner_and_depth_of_another_size(point: tuple[float, float]) -> None:
    aim = PointAim(Point(*point))
    for i in range(3):
        sensed = Sensed(Frame(np.roll(WALL, i, 1), i, i, Fraction(1, RATE)), np.full((9, 16), 0.3, np.float32))
        assert aim(sensed, CENTRES) == pytest.approx(0.3)


def test_depth_at_a_point_is_that_of_its_surroundings() -> None:
    depth = np.full((100, 200), 0.2, np.float32)
    depth[40:60, 90:110] = 0.8
    depth[50, 100] = 0.0  # a speck
    assert depth_at(depth, 0.5, 0.5) == pytest.approx(0.8)
    assert depth_at(depth, 1.0, 1.0) == pytest.approx(0.2)
    assert depth_at(np.full((1, 1), 0.5, np.float32), 0.0, 1.0) == 0.5


@pytest.mark.parametrize("size_hw", [(720, 1280), (1280, 720), (100, 100), (1, 900), (361, 643), (1080, 1919)])
def test_a_part_of_the_grey_copy_is_the_same_as_the_whole(size_hw: tuple[int, int], rng: np.random.Generator) -> None:
    picture = np.repeat(rng.integers(0, 256, (*size_hw, 1), np.uint8), 3, axis=2)
    grid = GreyCopy.of(picture)
    assert min(max(size_hw), 250) <= max(grid.width, grid.height) <= 480
    whole = grid.grey(picture, 0, 0, grid.width, grid.height)
    assert whole.shape == (grid.height, grid.width)
    right, bottom = grid.width // 2 + 9, min(30, grid.height)
    part = grid.grey(picture, 5, 0, right, bottom)
    assert np.abs(part.astype(int) - whole[:bottom, 5:right]).max() <= 1


def test_every_other_target_needs_no_grey_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of following is that of a followed point alone."""
    monkeypatch.setattr(cv2, "calcOpticalFlowPyrLK", None)
    monkeypatch.setattr(cv2, "cvtColor", None)
    for target in ("auto", "nearest", "layer:2", "0.4"):
        puller(target).plan(scene(0, (160, 90)), CENTRES)
