"""A glide never goes too far, at any frame rate, wherever the goal jumps; a pull takes the time it is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.stream.easing import CURVES, SPEED, Easing, Glide, Pull, SteadyGoal

depths = st.floats(0.0, 1.0)
steps_s = st.floats(1e-4, 0.5)


@given(depths, st.lists(st.tuples(depths, st.lists(steps_s, min_size=1, max_size=8)), min_size=1, max_size=6))
def test_a_glide_never_goes_beyond_its_goal_wherever_that_jumps(
    start: float, goals: list[tuple[float, list[float]]]
) -> None:
    glide, seen = Glide(start), [start]
    for goal, steps in goals:
        seen.append(goal)
        for step_s in steps:
            before = glide.value
            after = glide.step(goal, step_s)
            assert (before - goal) * (after - goal) >= -1e-12  # it has not crossed the goal
            assert min(seen) - 1e-12 <= after <= max(seen) + 1e-12  # nor gone where it had no business
            assert abs(after - before) <= SPEED * step_s + 1e-12


@given(depths, depths, st.lists(steps_s, min_size=1, max_size=20))
def test_the_way_does_not_depend_on_the_frame_rate(start: float, goal: float, steps: list[float]) -> None:
    fine, coarse = Glide(start), Glide(start)
    for step_s in steps:
        fine.step(goal, step_s)
    assert fine.value == pytest.approx(coarse.step(goal, sum(steps)), abs=1e-9)


@given(depths, depths, depths, st.floats(0.0, 1.5), st.lists(steps_s, min_size=2, max_size=10))
def test_nor_does_it_after_the_goal_has_jumped(a: float, b: float, c: float, at_s: float, steps: list[float]) -> None:
    fine, coarse = Glide(a), Glide(a)
    for step_s in np.diff(np.linspace(0.0, at_s, 9)):
        fine.step(b, float(step_s))
    coarse.step(b, at_s)
    for step_s in steps:
        fine.step(c, step_s)
    assert fine.value == pytest.approx(coarse.step(c, sum(steps)), abs=1e-9)


def test_speed_is_limited_and_changes_softly() -> None:
    rate = 240
    glide = Glide(0.0)
    way = np.array([0.0, *(glide.step(1.0, 1 / rate) for _ in range(2 * rate))])
    speed = np.diff(way) * rate
    assert speed.max() == pytest.approx(SPEED, rel=0.01)
    assert np.abs(np.diff(speed)).max() < 0.05 * SPEED  # no jerk, neither at the start nor at the end
    assert way[rate] == pytest.approx(1.0, abs=0.07)
    assert way[-1] == pytest.approx(1.0, abs=1e-3)


def test_a_glide_that_turns_back_slows_down_first() -> None:
    glide = Glide(0.0)
    way = [glide.step(1.0, 0.01) for _ in range(30)] + [glide.step(0.0, 0.01) for _ in range(300)]
    speed = np.diff(way) / 0.01
    assert np.abs(np.diff(speed)).max() < 0.3
    assert way[-1] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("easing", CURVES)
def test_a_pull_starts_where_it_is_and_ends_at_the_goal_in_time(easing: Easing) -> None:
    pull = Pull(0.2, 3.0, 2.0, easing)
    way = [pull.at(0.8, time_s) for time_s in np.linspace(3.0, 5.0, 201)]
    assert way[0] == pytest.approx(0.8 if easing == "cut" else 0.2)
    assert way[-1] == 0.8
    assert np.all(np.diff(way) >= 0.0)
    assert np.max(np.diff(way)) < 0.01
    assert pull.ended(5.0)
    assert pull.ended(4.9) == (easing == "cut")
    assert pull.at(0.8, 2.0) == way[0]  # not begun


def test_curves_are_what_their_names_say() -> None:
    halves = {name: curve(0.25) for name, curve in CURVES.items()}
    assert halves == pytest.approx(
        {"linear": 0.25, "ease-in": 0.0625, "ease-out": 0.4375, "ease-in-out": 0.15625, "cut": 1.0}
    )


def test_a_pull_without_a_length_is_a_cut() -> None:
    pull = Pull(0.0, 1.0, 0.0, "ease-in-out")
    assert pull.at(1.0, 1.0) == 1.0
    assert pull.at(1.0, 1.0 - 1e-16) == 1.0  # its start was added up and rounded


def test_a_goal_holds_still_until_it_is_left_and_then_is_followed_to_the_end() -> None:
    goal = SteadyGoal(0.1)
    assert goal.step(0.5, 0.5) == 0.5
    assert [goal.step(wanted, 0.5) for wanted in (0.55, 0.45, 0.59, 0.41)] == [0.5] * 4
    assert goal.step(0.61, 0.5) == 0.61  # left
    assert goal.step(0.58, 0.55) == 0.58  # on the way: as it is
    assert goal.step(0.57, 0.56) == 0.57  # arrived
    assert goal.step(0.65, 0.57) == 0.57  # still again
    goal.wake()
    assert goal.step(0.6, 0.57) == 0.6
