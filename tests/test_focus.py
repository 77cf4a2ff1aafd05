"""What the user may ask for, and how the focus gets there."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.focus import (
    SWITCH_S,
    Auto,
    Fixed,
    FocusPuller,
    LayerNumber,
    Nearest,
    Point,
    Target,
    parse_focus,
    resized_for_focus,
    subject_scores,
)
from pullfocus.stream.frame import FocusPlan

CENTRES = np.array([0.9, 0.5, 0.1])
FRAME_S = 1 / 30


def depth_with(left: float, right: float, split: int = 48) -> NDArray[np.float32]:
    depth = np.full((54, 96), right, np.float32)
    depth[:, :split] = left
    return depth


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("auto", Auto()), ("nearest", Nearest()), ("layer:1", LayerNumber(1)), ("layer:16", LayerNumber(16)),
        ("0", Fixed(0.0)), ("1", Fixed(1.0)), ("0.35", Fixed(0.35)), ("0.5,0.25", Point(0.5, 0.25)),
        ("1,0", Point(1, 0)),
    ],
)  # fmt: skip
def test_every_form_of_focus_is_read(text: str, target: Target) -> None:
    assert parse_focus(text) == target


@pytest.mark.parametrize(
    "text",
    ["", "Auto", "layer:", "layer:0", "layer:-1", "layer:1.5", "1.01", "-0.1", "nan", "inf", "0.5,", "0.5,2", "1,1,1",
     "0.5;0.5", "near"],
)  # fmt: skip
def test_anything_else_is_one_line_that_says_what_is_expected(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_focus(text)
    message = str(caught.value)
    assert message.startswith(f"--focus {text}: expected auto, nearest, layer:N")
    assert "\n" not in message


def test_layer_beyond_the_last_is_refused() -> None:
    with pytest.raises(InputError, match="there are 3 layers"):
        Settings(focus=LayerNumber(4), layers=3)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Fixed(0.33), 0.33), (LayerNumber(2), 0.5), (LayerNumber(3), 0.1), (Nearest(), 0.5),
        (Point(0.1, 0.5), 0.5), (Point(1.0, 1.0), 0.12), (Point(0.0, 0.0), 0.5),
    ],
)  # fmt: skip
def test_first_frame_is_at_the_target(target: Target, expected: float) -> None:
    depth = depth_with(0.5, 0.12)
    depth[0, 20] = 0.9  # a speck is no layer to focus on
    assert FocusPuller(target).focus(depth, CENTRES, 0.0) == pytest.approx(expected)


def test_auto_prefers_near_and_central() -> None:
    depth = np.full((54, 96), 0.1, np.float32)
    depth[10:50, 35:60] = 0.9
    assert FocusPuller(Auto()).focus(depth, CENTRES, 0.0) == pytest.approx(0.9)
    aside = np.full((54, 96), 0.1, np.float32)
    aside[:6, :6] = 0.9
    scores = subject_scores(aside, CENTRES)
    assert scores[0] < scores[2]


@given(st.floats(0, 1), st.floats(0, 1), st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_pull_glides_to_the_goal_without_overshoot(start: float, goal: float, steps_s: list[float]) -> None:
    puller = FocusPuller(Point(0.5, 0.5))
    time_s, last = 0.0, puller.focus(np.full((9, 9), start, np.float32), CENTRES, 0.0)
    end = float(np.float32(goal))
    for step_s in steps_s:
        time_s += step_s
        now = puller.focus(np.full((9, 9), goal, np.float32), CENTRES, time_s)
        assert min(last, end) - 1e-6 <= now <= max(last, end) + 1e-6
        last = now
    assert abs(puller.focus(np.full((9, 9), goal, np.float32), CENTRES, time_s + 5.0) - end) < 1e-6


def test_pull_takes_the_same_time_at_any_frame_rate() -> None:
    ends: list[float] = []
    for rate in (10, 30, 60):
        puller = FocusPuller(Point(0.5, 0.5))
        puller.focus(np.zeros((9, 9), np.float32), CENTRES, 0.0)
        ends.append([puller.focus(np.ones((9, 9), np.float32), CENTRES, i / rate) for i in range(1, rate // 2 + 1)][-1])
    assert ends == pytest.approx([1 - np.exp(-2)] * 3)


def subject_over_time(rival_s: float, share: float) -> list[float]:
    """Focus while the subject (left, 0.9) shrinks to `share` of the picture for `rival_s`; the rest is 0.5."""
    puller, focus = FocusPuller(Auto()), list[float]()
    for frame in range(90):
        rival_now = 0.5 <= frame * FRAME_S < 0.5 + rival_s
        depth = depth_with(0.9, 0.5, round(96 * (share if rival_now else 0.6)))
        focus.append(puller.focus(depth, CENTRES, frame * FRAME_S))
    return focus


def test_auto_does_not_turn_to_a_short_rival() -> None:
    assert set(subject_over_time(SWITCH_S * 0.7, 0.1)) == {0.9}


def test_auto_turns_to_a_stronger_rival_that_lasts() -> None:
    focus = subject_over_time(2.5, 0.1)
    assert focus[round(0.9 / FRAME_S)] == pytest.approx(0.9)
    assert focus[-1] == pytest.approx(0.5, abs=0.01)


def test_auto_does_not_turn_to_a_rival_that_is_hardly_stronger() -> None:
    scores = subject_scores(depth_with(0.9, 0.5, 40), CENTRES)
    assert 1.0 < scores[1] / scores[0] < 1.3
    assert set(subject_over_time(2.5, 40 / 96)) == {0.9}


@pytest.mark.parametrize("first", [Fixed(0.9), Point(0.1, 0.5)])
def test_click_from_another_thread_moves_the_focus_smoothly(first: Target) -> None:
    depth, puller = depth_with(0.9, 0.1), FocusPuller(first)
    for frame in range(60):
        puller.focus(depth, CENTRES, frame * FRAME_S)
    click = threading.Thread(target=lambda: setattr(puller, "target", Point(0.9, 0.5)))
    click.start()
    click.join()
    focus = [puller.focus(depth, CENTRES, frame * FRAME_S) for frame in range(60, 120)]
    assert 0.75 < focus[0] < 0.9  # one frame later it has only begun
    assert focus[-1] == pytest.approx(0.1, abs=0.01)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 50), st.floats(0, 1))
def test_radius_follows_the_formula(depth: float, focus: float, aperture: float, dead_zone: float) -> None:
    radius = FocusPlan(focus, aperture, dead_zone).lens(720).radius_px(depth)
    assert radius == pytest.approx(aperture * 7.2 * max(0.0, abs(depth - focus) - dead_zone))
    assert FocusPlan(0.25, 10.0, 0.1).lens(500).radius_px(0.75) == pytest.approx(20.0)


def test_small_copy_keeps_shape_and_mean() -> None:
    depth = np.random.default_rng(0).random((192, 320), np.float32)
    small = resized_for_focus(depth)
    assert small.shape == (58, 96)
    assert small.mean() == pytest.approx(depth.mean(), abs=0.01)
    assert resized_for_focus(np.ones((1, 500), np.float32)).shape == (1, 96)
