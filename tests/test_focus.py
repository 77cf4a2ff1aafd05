"""What the user may ask for, and the focus plan that comes of it."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.focus import DEAD_BAND
from pullfocus.stream.frame import FocusPlan
from pullfocus.stream.targets import Auto, Fixed, LayerNumber, Nearest, Point, Target, parse_focus

from .scene import CENTRES, focus_at, puller, sensed

FRAME_S = 1 / 30


def depth_with(left: float, right: float, split: int = 48) -> NDArray[np.float32]:
    depth = np.full((54, 96), right, np.float32)
    depth[:, :split] = left
    return depth


def flat(value: float) -> NDArray[np.float32]:
    return np.full((9, 9), value, np.float32)


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
    assert focus_at(puller(target), depth) == pytest.approx(expected)


@given(st.floats(0, 1), st.floats(0, 1), st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_pull_glides_to_the_goal_without_overshoot(start: float, goal: float, steps_s: list[float]) -> None:
    puller_ = puller("0.5,0.5", dead_zone=0.0)
    time_s, last = 0.0, focus_at(puller_, flat(start))
    end = float(np.float32(goal))
    for step_s in steps_s:
        time_s += step_s
        now = focus_at(puller_, flat(goal), time_s)
        assert min(last, end) - 1e-6 <= now <= max(last, end) + 1e-6
        last = now
    assert abs(focus_at(puller_, flat(goal), time_s + 5.0) - end) <= DEAD_BAND


def test_pull_takes_the_same_time_at_any_frame_rate() -> None:
    ends = list[float]()
    for rate in (10, 30, 60):
        puller_ = puller("0.5,0.5")
        focus_at(puller_, flat(0.0))
        ends.append([focus_at(puller_, flat(1.0), i / rate) for i in range(1, rate // 2 + 1)][-1])
    assert ends == pytest.approx([ends[0]] * 3, abs=1e-4)
    assert 0.4 < ends[0] < 0.8


@pytest.mark.parametrize("target", ["auto", "nearest", "layer:2", "0.5,0.5"])
@pytest.mark.parametrize("dead_zone", [0.0, 0.08])
def test_a_subject_that_wanders_a_little_does_not_move_the_focus(target: str, dead_zone: float) -> None:
    band = 0.45 * max(DEAD_BAND, dead_zone / 2)
    puller_, rng = puller(target, dead_zone=dead_zone), np.random.default_rng(3)
    focus = list[float]()
    for frame in range(90):
        depth = 0.5 + rng.uniform(-band, band)
        focus.append(puller_.plan(sensed(flat(depth), frame * FRAME_S), CENTRES + depth - 0.5).inverse_depth)
    assert len(set(focus)) == 1


def test_a_subject_that_goes_on_is_followed() -> None:
    puller_ = puller("0.5,0.5")
    focus = [focus_at(puller_, flat(0.2 + 0.005 * frame), frame * FRAME_S) for frame in range(100)]
    assert np.abs(np.array(focus) - 0.2 - 0.005 * np.arange(100)).max() < 0.06
    assert np.all(np.diff(focus) >= 0.0)


@pytest.mark.parametrize("first", [Fixed(0.9), Point(0.1, 0.5)])
def test_click_from_another_thread_moves_the_focus_smoothly(first: Target) -> None:
    depth, puller_ = depth_with(0.9, 0.1), puller(first)
    for frame in range(60):
        focus_at(puller_, depth, frame * FRAME_S)
    click = threading.Thread(target=lambda: setattr(puller_, "target", Point(0.9, 0.5)))
    click.start()
    click.join()
    focus = [focus_at(puller_, depth, frame * FRAME_S) for frame in range(60, 120)]
    assert 0.75 < focus[0] < 0.9  # one frame later it has only begun
    assert focus[-1] == pytest.approx(0.1, abs=0.01)
    assert np.all(np.diff(focus) <= 0.0)


def test_a_target_set_anew_is_met_exactly_even_within_the_dead_band() -> None:
    puller_ = puller(Fixed(0.5), dead_zone=0.4)
    focus_at(puller_, flat(0.0))
    puller_.target = Fixed(0.51)
    assert focus_at(puller_, flat(0.0), 5.0) == pytest.approx(0.51)


@pytest.mark.parametrize("target", ["auto", "nearest", "0.5,0.5"])
def test_after_a_reset_the_focus_is_at_its_goal_at_once(target: str) -> None:
    puller_ = puller(target)
    for frame in range(10):
        focus_at(puller_, flat(0.9), frame * FRAME_S)
    assert focus_at(puller_, flat(0.1), 10 * FRAME_S) > 0.8
    puller_.reset()
    assert focus_at(puller_, flat(0.1), 11 * FRAME_S) == pytest.approx(0.1, abs=2e-3)  # 256 levels


def test_the_plan_holds_the_aperture_and_the_dead_zone() -> None:
    plan = puller(Fixed(0.4), aperture=3.0, dead_zone=0.1).plan(sensed(flat(0.0)), CENTRES)
    assert plan == FocusPlan(0.4, 3.0, 0.1)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 50), st.floats(0, 1))
def test_radius_follows_the_formula(depth: float, focus: float, aperture: float, dead_zone: float) -> None:
    radius = FocusPlan(focus, aperture, dead_zone).lens(720).radius_px(depth)
    assert radius == pytest.approx(aperture * 7.2 * max(0.0, abs(depth - focus) - dead_zone))
    assert FocusPlan(0.25, 10.0, 0.1).lens(500).radius_px(0.75) == pytest.approx(20.0)
