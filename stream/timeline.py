"""Timestamps that rise, whatever the input says."""

from __future__ import annotations

from fractions import Fraction

JUMP_S = 1.0  # a step this far is another timeline, not a damaged stamp


class Timeline:
    """Makes timestamps rise.

    A stamp that repeats or steps back a little (damage) is put just after the last one. A long step
    back (joined files, a camera that started again) shifts all that follows, as ffmpeg does, until a
    jump forward ends it.
    """

    def __init__(self, time_base: Fraction, least_step: int = 1) -> None:
        """least_step: 0 where several things may share a timestamp."""
        self._least = least_step
        self._jump = JUMP_S / time_base
        self._offset = 0
        self._last: int | None = None
        self._step = 1

    def follow(self, pts: int, duration: int = 0) -> int:
        """The timestamp to use for one of `pts`; duration is the usual one in the same units, 0 = unknown."""
        last = self._last
        if last is not None:
            if last - (pts + self._offset) > self._jump:
                self._offset = last + max(duration, self._step) - pts
            elif self._offset and pts > last and pts + self._offset - last > self._jump:
                self._offset = 0
            now = max(pts + self._offset, last + self._least)
            self._step = min(now - last, round(self._jump))
        else:
            now = pts
        self._last = now
        return now
