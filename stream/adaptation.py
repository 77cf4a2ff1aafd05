"""`--adaptive`: looks at how a run does, asks the `Governor`, and turns the controls."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from .adaptive import Governor, Level, Sample
from .controls import Controls
from .report import Moment

LOOK_S = 0.2
WARM_UP_S = 1.0  # after the first frame, which waits for much that the others do not


class Adaptation:
    """Called after every frame by the thread that hands it over."""

    def __init__(self, controls: Controls, rate: float | None) -> None:
        """rate: frames a second to hold, None = as many as come."""
        settings = controls.settings
        self._controls = controls
        self._governor = Governor(Level(settings.engine.quality, settings.net_every), rate)
        self._now: Callable[[], Moment] | None = None
        self._start_s = monotonic()
        self._look_at_s: float | None = None
        self.choices: list[str] = []

    def started(self, now: Callable[[], Moment], /) -> None:
        self._now, self._start_s = now, monotonic()
        self._take(self._governor.level, "to begin with")

    def handed_over(self, _frames: int) -> None:
        """A frame has gone to the sinks."""
        now_s = monotonic()
        if self._look_at_s is None:
            self._look_at_s = now_s + WARM_UP_S
        if self._now is None or now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_S
        moment = self._now()
        arrived = moment.frames + moment.dropped
        choice = self._governor.look(Sample(now_s, moment.frames, arrived, moment.latency_ms, moment.means_ms))
        if choice is not None:
            self._take(choice.level, choice.why)

    def _take(self, level: Level, why: str) -> None:
        said = f"{monotonic() - self._start_s:.1f} s: {level} ({why})"
        print(f"pullfocus: {said}", file=sys.stderr)
        self.choices.append(said)
        engine = replace(self._controls.settings.engine, quality=level.quality)
        self._controls.change(net_every=level.net_every, engine=engine)
