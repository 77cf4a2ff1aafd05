"""The shots of a film and how deep each is, from a first pass over it: for a depth range that holds a whole shot."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ..engines.api import Engine
from ..kernels.api import InverseDepth
from .cuts import CutDetector
from .depth_range import PERCENTILES, Shot
from .frame import Frame

SAMPLED_EVERY_S = 0.4  # how often the net looks at a shot


def survey(frames: Iterable[Frame], engine: Engine, on_frame: Callable[[int], None] | None = None) -> list[Shot]:
    """The shots of a film, with the 2nd and 98th percentile of what the net says of a few frames of each."""
    cuts, shots = CutDetector(), list[_Samples]()
    for number, frame in enumerate(frames, 1):
        if cuts.is_cut(frame.picture8) or not shots:
            shots.append(_Samples(frame.time_s))
        shots[-1].look(frame, engine)
        if on_frame is not None:
            on_frame(number)
    return [shot.summary() for shot in shots]


class _Samples:
    """What was seen of one shot: a thousand order statistics of each sample, not its pixels."""

    def __init__(self, start_s: float) -> None:
        self._start_s = self._next_s = start_s
        self._values: list[InverseDepth] = []

    def look(self, frame: Frame, engine: Engine) -> None:
        if frame.time_s < self._next_s:
            return
        self._next_s = frame.time_s + SAMPLED_EVERY_S
        depth = np.nan_to_num(engine.infer(frame.picture8), nan=0.0)
        self._values.append(np.quantile(depth, np.linspace(0.0, 1.0, 1001)).astype(np.float32))

    def summary(self) -> Shot:
        low, high = np.percentile(np.concatenate(self._values), PERCENTILES).tolist()
        return Shot(self._start_s, low, high)
