"""Where the focus is, shown: peaking marks edges in focus, the zone is tinted before and behind it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels import Kernels
from pullfocus.kernels.api import Lens, Picture, RefocusStyle
from pullfocus.stream.config import View
from pullfocus.stream.frame import FocusPlan, Frame, Layered, Sensed
from pullfocus.stream.targets import Point
from pullfocus.stream.views import point_in, show

from .command import run

HEIGHT, WIDTH = 100, 160
LENS = Lens.of_aperture(0.5, 10.0, HEIGHT, 0.05)  # 10 px at a difference of 1


def stripes(contrast: int = 100) -> Picture:
    row = 90 + contrast * (np.arange(WIDTH) // 8 % 2)
    return np.repeat(np.tile(row.astype(np.uint8), (HEIGHT, 1))[..., None], 3, axis=2)


def depth_by_rows(top: float, bottom: float) -> NDArray[np.float32]:
    depth = np.full((HEIGHT, WIDTH), top, np.float32)
    depth[HEIGHT // 2 :] = bottom
    return depth


def marked(picture: Picture, shown: Picture) -> NDArray[np.bool_]:
    return (shown != picture).any(axis=2)


@pytest.mark.parametrize("far", [0.2, 0.8])
def test_peaking_marks_edges_in_focus_and_nothing_else(kernels: Kernels, far: float) -> None:
    picture = stripes()
    marks = marked(picture, kernels.mark_in_focus(picture, depth_by_rows(0.5, far), LENS))
    assert not marks[HEIGHT // 2 :].any()
    columns = marks[0]
    np.testing.assert_array_equal(marks[: HEIGHT // 2], np.tile(columns, (HEIGHT // 2, 1)))
    steps = np.arange(8, WIDTH, 8)
    assert columns[steps].all()
    assert columns[steps - 1].all()
    assert not columns[steps[:-1] + 4].any()  # the middle of a stripe has no edge


@pytest.mark.parametrize(("depth", "sharp"), [(0.5, True), (0.54, True), (0.59, True), (0.61, False), (0.39, False)])
def test_peaking_ends_where_the_circle_is_half_a_pixel(kernels: Kernels, depth: float, sharp: bool) -> None:
    picture = stripes()
    shown = kernels.mark_in_focus(picture, np.full((HEIGHT, WIDTH), depth, np.float32), LENS)
    assert marked(picture, shown).any() == sharp == (LENS.radius_px(depth) < 0.5)


def test_peaking_marks_no_noise_and_all_edges_with_the_aperture_closed(
    kernels: Kernels, rng: np.random.Generator
) -> None:
    noise = np.clip(rng.normal(120, 3, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    depth = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    assert not marked(noise, kernels.mark_in_focus(noise, depth, LENS)).any()
    assert (
        marked(stripes(), kernels.mark_in_focus(stripes(), depth_by_rows(0.0, 1.0), Lens(0.5, 0.0))).any(axis=1).all()
    )


def test_the_zone_is_warm_before_the_focus_cool_behind_it_and_untouched_within(kernels: Kernels) -> None:
    picture = np.full((HEIGHT, WIDTH, 3), (120, 140, 110), np.uint8)
    depth = np.tile(np.linspace(0.0, 1.0, WIDTH, dtype=np.float32), (HEIGHT, 1))
    red, green, blue = np.moveaxis(kernels.tint_by_focus(picture, depth, LENS)[0].astype(int), -1, 0)
    difference = depth[0] - LENS.focus
    within = np.abs(difference) < LENS.dead_zone - 0.01
    assert within.sum() > 8
    np.testing.assert_array_equal(np.stack((red, green, blue))[:, within], np.tile([[120], [140], [110]], within.sum()))
    warmth = red - blue - 10
    assert np.all(warmth[difference > LENS.dead_zone + 0.02] > 0)
    assert np.all(warmth[difference < -LENS.dead_zone - 0.02] < 0)
    assert np.all(np.diff(warmth) >= -1)  # ever warmer with nearness, as the circle grows
    assert warmth[-1] > 60
    assert warmth[0] < -60


@pytest.mark.parametrize("name", ["mark_in_focus", "tint_by_focus"])
def test_both_take_a_smaller_depth_and_leave_their_inputs_alone(kernels: Kernels, name: str) -> None:
    picture, depth = stripes(), np.full((10, 16), 0.5, np.float32)
    depth[5:] = 0.9
    before = picture.copy(), depth.copy()
    shown = getattr(kernels, name)(picture, depth, LENS)
    assert shown.shape == picture.shape
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(before[0], picture)
    np.testing.assert_array_equal(before[1], depth)
    assert marked(picture, shown)[: HEIGHT // 3].any() == (name == "mark_in_focus")
    assert marked(picture, shown)[-HEIGHT // 3 :].any() == (name == "tint_by_focus")


@pytest.mark.parametrize("view", ["peaking", "zone"])
def test_a_view_has_the_picture_s_size_and_shows_the_source(kernels: Kernels, view: View) -> None:
    """So a click in the window needs no other way to be understood."""
    picture = stripes()
    layered = Layered(
        Sensed(Frame(picture, 0, 0, Fraction(1)), np.full((HEIGHT, WIDTH), 0.2, np.float32)),
        np.array([0.9, 0.5, 0.1]),
        FocusPlan(0.2, 10.0, 0.0),
    )
    shown = show(view, layered, kernels, RefocusStyle())
    assert shown.shape == picture.shape
    middle = np.arange(12, WIDTH, 8)
    np.testing.assert_array_equal(shown[:, middle], picture[:, middle])


@pytest.mark.parametrize("view", ["peaking", "zone"])
def test_the_command_knows_the_views(view: str) -> None:
    result = run(
        "live", "--source", "synthetic", "--sink", "null", "--frames", "3", "--engine", "plane", "--view", view
    )
    assert result.returncode == 0, result.stderr


def test_a_point_of_a_tile_is_one_of_the_frame() -> None:
    assert point_in("refocus", 0.25, 1.0) == point_in("depth", 0.25, 1.0) == Point(0.25, 1.0)
    assert point_in("side", 0.125, 0.25) == point_in("side", 0.625, 0.25) == Point(0.25, 0.25)
    assert point_in("panel", 0.625, 0.25) == point_in("panel", 0.125, 0.75) == Point(0.25, 0.5)
    assert point_in("panel", 1.0, 1.0) == Point(1.0, 1.0)
