"""How good a live picture may be at the rate that is to be held: goes down soon, up late, and does not flip-flop."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass

from ..kernels.api import Quality

MISSED_SHARE = 0.9  # of the rate; less is a miss
LATENCY_FRAMES = 8.0  # a frame that is this many intervals old when it is handed over is late
DOWN_S, UP_S = 1.0, 5.0  # how long the rate is missed before a step down, held before a step up
LEAST_RATE = 2.0  # frames a second; fewer are no live picture
FAILED_S = 15.0  # a step up that is taken back within this time has failed
LONGEST_UP_S = 320.0
FREE_SHARE = 0.75  # of the time that there is, which a step up may be predicted to take
FINE_COST = 3.6  # of the refocus stage, against `fast`
STAGES_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Level:
    """A step of the ladder: the blur's quality, and every how many frames the net is asked."""

    quality: Quality
    net_every: int

    def __str__(self) -> str:
        return f"quality {self.quality}, net every {'frame' if self.net_every == 1 else f'{self.net_every} frames'}"


LADDER = (Level("fine", 1), Level("fast", 1), Level("fast", 2), Level("fast", 3), Level("fast", 4))


@dataclass(frozen=True, slots=True)
class Sample:
    """How a run stands. delivered, arrived: frames since the start. stages_ms: recent means. latency_ms: median."""

    time_s: float
    delivered: int
    arrived: int
    latency_ms: float
    stages_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """A level, and why it was taken."""

    level: Level
    why: str


class Governor:
    """Decides from samples that come a few times a second; it has no clock of its own."""

    def __init__(self, level: Level, rate: float | None = None, cores: int | None = None) -> None:
        """level: where to start; one that is not on the ladder begins at the step with as much net. rate: frames a
        second to hold, None = as many as come."""
        self._step = LADDER.index(level) if level in LADDER else min(level.net_every, len(LADDER) - 1)
        self._rate = rate
        self._at_once = min(STAGES_AT_ONCE, cores or os.cpu_count() or 1)
        self._samples: deque[Sample] = deque()
        self._held_since_s: float | None = None
        self._up_wait_s = UP_S
        self._went_up_s: float | None = None

    @property
    def level(self) -> Level:
        return LADDER[self._step]

    def look(self, sample: Sample) -> Choice | None:
        """Another level from now on, or None."""
        self._samples.append(sample)
        while len(self._samples) > 2 and sample.time_s - self._samples[1].time_s >= DOWN_S:
            self._samples.popleft()
        passed_s = sample.time_s - self._samples[0].time_s
        if passed_s < DOWN_S:
            return None
        delivered, target = self._rates(passed_s)
        if target < LEAST_RATE:  # nothing came for a while: nobody watched, or the camera stood still
            self._start_over(sample)
            return None
        missed = self._missed(delivered, target, sample)
        if missed:
            return self._down(sample, missed)
        self._held_since_s = self._samples[0].time_s if self._held_since_s is None else self._held_since_s
        if sample.time_s - self._held_since_s < self._up_wait_s or not self._is_free(target, sample):
            return None
        return self._up(sample, f"{delivered:.0f} fps with time to spare")

    def _rates(self, passed_s: float) -> tuple[float, float]:
        """Frames a second that were delivered in the last second, and that ought to have been."""
        first, last = self._samples[0], self._samples[-1]
        arrived = (last.arrived - first.arrived) / passed_s
        return (last.delivered - first.delivered) / passed_s, min(arrived, self._rate or arrived)

    def _missed(self, delivered: float, target: float, sample: Sample) -> str:
        """What is missed, empty when nothing is."""
        if delivered < MISSED_SHARE * target:
            return f"{delivered:.0f} of {self._in_words(target)}"
        if sample.latency_ms > LATENCY_FRAMES * 1e3 / target:
            return f"{sample.latency_ms:.0f} ms late at {target:.0f} fps"
        return ""

    def _in_words(self, target: float) -> str:
        """A source may give less than was asked for, which is not the pipeline's miss."""
        if self._rate is None or round(target) >= round(self._rate):
            return f"{target:.0f} fps"
        return f"{target:.0f} fps that came; {self._rate:.0f} were asked for"

    def _down(self, sample: Sample, why: str) -> Choice | None:
        self._held_since_s = None
        if self._step + 1 == len(LADDER):
            return None
        if self._went_up_s is not None:
            failed = sample.time_s - self._went_up_s < FAILED_S
            self._up_wait_s = min(2 * self._up_wait_s, LONGEST_UP_S) if failed else UP_S
            self._went_up_s = None
        return self._take(self._step + 1, sample, why)

    def _up(self, sample: Sample, why: str) -> Choice | None:
        self._went_up_s = sample.time_s
        return self._take(self._step - 1, sample, why)

    def _take(self, step: int, sample: Sample, why: str) -> Choice:
        self._step = step
        self._start_over(sample)
        return Choice(self.level, why)

    def _start_over(self, sample: Sample) -> None:
        self._samples.clear()
        self._samples.append(sample)
        self._held_since_s = None

    def _is_free(self, target: float, sample: Sample) -> bool:
        """Whether the next better level is predicted to hold the rate, with room."""
        if self._step == 0:
            return False
        costs_ms = predicted_ms(sample.stages_ms, self.level, LADDER[self._step - 1])
        interval_ms = 1e3 / target
        slowest, all_ms = max(costs_ms.values(), default=0.0), sum(costs_ms.values())
        return slowest <= FREE_SHARE * interval_ms and all_ms <= FREE_SHARE * interval_ms * self._at_once


def predicted_ms(stages_ms: dict[str, float], now: Level, then: Level) -> dict[str, float]:
    """What depth, layers and refocus would take at another level. The depth stage is taken to be all net."""
    costs = {name: cost_ms for name, cost_ms in stages_ms.items() if name not in ("source", "sink")}
    if "depth" in costs:
        costs["depth"] *= now.net_every / then.net_every
    if "refocus" in costs and now.quality != then.quality:
        costs["refocus"] *= FINE_COST if then.quality == "fine" else 1 / FINE_COST
    return costs
