"""No net and no blur for nobody: frames go no further than the source while no sink is watched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Protocol, runtime_checkable

from .frame import Frame
from .pipeline import Source

GRACE_S = 1.0  # a page that is loaded anew has no watcher for a moment
_SAID = "pullfocus: nobody watches; depth and blur rest until somebody does"


@runtime_checkable
class Watched(Protocol):
    """A sink that knows whether anybody looks at it; all others count as watched."""

    @property
    def watched(self) -> bool:
        """Any thread may ask, for every frame."""
        ...


class Gate:
    """The frames of a source that somebody may see. The source is read on all the time, so the next one is fresh."""

    def __init__(
        self,
        source: Source,
        watched: Callable[[], bool],
        grace_s: float = GRACE_S,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """watched: asked for every frame. grace_s: how long nobody must have watched. now: a clock in seconds."""
        self._source, self._watched, self._grace_s, self._now = source, watched, grace_s, now
        self._last_watched_s: float | None = None
        self._rests_since_s: float | None = None
        self._rested_s, self._said = 0.0, False
        self.live = source.live

    def frames(self) -> Iterator[Frame | None]:
        """None in the place of each frame that nobody would see."""
        for frame in self._source.frames():
            yield frame if self._is_open() else None

    @property
    def idle_s(self) -> float:
        """How long the pipeline rested, in all and until now."""
        since_s = self._rests_since_s
        return self._rested_s + (self._now() - since_s if since_s is not None else 0.0)

    def _is_open(self) -> bool:
        now_s = self._now()
        if self._watched():
            if self._rests_since_s is not None:
                self._rested_s += now_s - self._rests_since_s
                self._rests_since_s = None
            self._last_watched_s = now_s
            return True
        if self._last_watched_s is None:
            self._last_watched_s = now_s
        if self._rests_since_s is None and now_s - self._last_watched_s >= self._grace_s:
            self._rests_since_s = now_s
            self._say()
        return self._rests_since_s is None

    def _say(self) -> None:
        if not self._said:
            print(_SAID, file=sys.stderr)
        self._said = True
