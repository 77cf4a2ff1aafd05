"""`--depth-range`: metres as they are, or a clip's own depth stretched to [0, 1] and held steady."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ..kernels.api import InverseDepth, Kernels
from ..kernels.errors import InputError
from .state import State

RangeMode = Literal["fixed", "auto", "shot"]
PERCENTILES = (2.0, 98.0)
SETTLE_S = 1.0  # time constant of the running percentiles
LEAST_SPAN = 0.02  # a flat scene is not stretched into noise


class DepthRange(Protocol):
    def apply(self, inverse_depth: InverseDepth, time_s: float, kernels: Kernels) -> InverseDepth:
        """The next frame's depth in its range; kernels: those that have the array."""
        ...

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


class FixedRange:
    """0 = infinity, 1 = 0.5 m."""

    def apply(self, inverse_depth: InverseDepth, time_s: float, kernels: Kernels) -> InverseDepth:
        del time_s  # metres do not change with time
        return kernels.stretched(inverse_depth, 0.0, 1.0)

    def reset(self) -> None:
        pass

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        pass


class AutoRange:
    """The 2nd and 98th percentiles, as running means over about a second, become 0 and 1."""

    def __init__(self) -> None:
        self._low_high: np.ndarray | None = None
        self._time_s = 0.0

    def apply(self, inverse_depth: InverseDepth, time_s: float, kernels: Kernels) -> InverseDepth:
        now = np.percentile(kernels.download(inverse_depth)[::2, ::2], PERCENTILES)
        if self._low_high is None:
            self._low_high = now
        else:
            elapsed_s = max(0.0, time_s - self._time_s)
            self._low_high = self._low_high + (now - self._low_high) * (1.0 - math.exp(-elapsed_s / SETTLE_S))
        self._time_s = time_s
        low, high = self._low_high
        return kernels.stretched(inverse_depth, float(low), max(float(high - low), LEAST_SPAN))

    def reset(self) -> None:
        self._low_high = None

    def state(self) -> State:
        return {"low_high": self._low_high, "time_s": self._time_s}

    def restore(self, state: State) -> None:
        self._low_high, self._time_s = state["low_high"], state["time_s"]


@dataclass(frozen=True, slots=True)
class Shot:
    """From `start_s` on, up to the next one. low, high: inverse depths that become 0 and 1."""

    start_s: float
    low: float
    high: float


class ShotRange:
    """A `DepthRange`: each shot's own percentiles become 0 and 1, from its first frame to its last."""

    def __init__(self, shots: Sequence[Shot]) -> None:
        """shots: in their order, at least one."""
        self._shots = list(shots)
        self._starts_s = [shot.start_s for shot in shots]

    def apply(self, inverse_depth: InverseDepth, time_s: float, kernels: Kernels) -> InverseDepth:
        shot = self._shots[max(0, bisect_right(self._starts_s, time_s) - 1)]
        return kernels.stretched(inverse_depth, shot.low, max(shot.high - shot.low, LEAST_SPAN))

    def reset(self) -> None:
        """A shot's range does not depend on what came before."""

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        pass


def make_range(mode: RangeMode, shots: Sequence[Shot] | None = None) -> DepthRange:
    """shots: what a first pass over the film has found. Raises InputError where it is needed and there was none."""
    match mode:
        case "fixed":
            return FixedRange()
        case "auto":
            return AutoRange()
        case "shot":
            if shots is None:
                raise InputError("--depth-range shot looks through a film first; what has no end needs fixed or auto")
            return ShotRange(shots)
