"""How the focus gets to its goal: a glide that never goes too far, pulls of a given length, a goal that holds still."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .state import State

Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out", "cut"]

SPEED = 1.5  # of a glide, in inverse depth per second
SETTLE_S = 0.12  # time constant with which a glide gains and loses its speed
ARRIVED = 0.25  # of the dead band: this near to its goal a pull has ended

CURVES: dict[Easing, Callable[[float], float]] = {
    "linear": lambda part: part,
    "ease-in": lambda part: part * part,
    "ease-out": lambda part: part * (2.0 - part),
    "ease-in-out": lambda part: part * part * (3.0 - 2.0 * part),  # smoothstep
    "cut": lambda _part: 1.0,
}


class Glide:
    """A value that follows a goal with limited speed and a soft start and end.

    A lead runs to the goal at constant speed and the value follows the lead with a time constant. Both are solved
    exactly, so the way does not depend on the frame rate. The lead never lies behind the goal as seen from the
    value, and the value always moves towards the lead: so it never goes beyond its goal, wherever that jumps.
    """

    def __init__(self, value: float, speed: float = SPEED, settle_s: float = SETTLE_S) -> None:
        self._speed, self._settle_s = speed, settle_s
        self.value = self._lead = value

    def jump(self, value: float) -> None:
        """To `value` at once, and rest there."""
        self.value = self._lead = value

    def step(self, goal: float, elapsed_s: float) -> float:
        """The value after `elapsed_s` more of following `goal`."""
        if (goal - self.value) * (self._lead - goal) >= 0.0:
            self._lead = goal  # the goal has jumped to before the lead
        way = goal - self._lead
        running_s = min(elapsed_s, abs(way) / self._speed)
        self._follow(math.copysign(self._speed, way), running_s)
        if running_s < elapsed_s:
            self._lead = goal
            self._follow(0.0, elapsed_s - running_s)
        return self.value

    def _follow(self, speed: float, for_s: float) -> None:
        # The answer of a first-order lag to a ramp.
        lag = speed * self._settle_s
        gap = self.value - self._lead + lag
        self._lead += speed * for_s
        self.value = self._lead - lag + gap * math.exp(-for_s / self._settle_s)

    def state(self) -> State:
        return {"value": self.value, "lead": self._lead}

    def restore(self, state: State) -> None:
        self.value, self._lead = state["value"], state["lead"]


@dataclass(frozen=True, slots=True)
class Pull:
    """From a value to a goal, which may move meanwhile, in a given time."""

    start: float
    start_s: float
    duration_s: float
    easing: Easing

    def ended(self, time_s: float) -> bool:
        # A start that was added up may lie a rounding error after the frame it came due with.
        return self.easing == "cut" or self.duration_s <= 0.0 or time_s >= self.start_s + self.duration_s

    def at(self, goal: float, time_s: float) -> float:
        """The value at `time_s`."""
        if self.ended(time_s):
            return goal
        part = max(0.0, (time_s - self.start_s) / self.duration_s)
        return self.start + (goal - self.start) * CURVES[self.easing](part)


class SteadyGoal:
    """A goal that stays put while what it is taken from only wanders, so that the focus does not breathe.

    Left by more than the dead band it wakes, and follows until the focus has got there.
    """

    def __init__(self, dead_band: float) -> None:
        self._dead_band = dead_band
        self._goal = 0.0
        self._awake = True

    def wake(self) -> None:
        """Take the next value as it is."""
        self._awake = True

    def step(self, wanted: float, now: float) -> float:
        """The goal, given the one `wanted` in this frame and where the focus is `now`."""
        self._awake = self._awake or abs(wanted - self._goal) > self._dead_band
        if self._awake:
            self._goal = wanted
            self._awake = abs(wanted - now) > ARRIVED * self._dead_band
        return self._goal

    def state(self) -> State:
        return {"goal": self._goal, "awake": self._awake}

    def restore(self, state: State) -> None:
        self._goal, self._awake = state["goal"], state["awake"]
