"""The time of frames in real time: paced where they could come faster, on one clock where an input begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from time import monotonic, sleep

from .frame import Frame

MILLISECOND = Fraction(1, 1000)
LONGEST_GAP_S = 1.0
LATEST_S = 0.2  # of a frame in a stream that comes in bursts; later ones are paced from then on
LARGEST_DRIFT_S = 1.0  # of an input's own times from the clock's; a burst from a network's buffer is within it


def pace(frames: Iterator[Frame], longest_gap_s: float = LONGEST_GAP_S) -> Iterator[Frame]:
    """The same frames, none before its time, stamped with the moment they are let go.

    In a longer gap (a slide show) the last picture comes again every `longest_gap_s`, as from a
    camera: so keys, clicks and the end of the run are never left waiting.
    """
    start_s: float | None = None
    last: Frame | None = None
    for frame in frames:
        if start_s is None:
            start_s = monotonic() - frame.time_s
        due_s = start_s + frame.time_s
        while last is not None and due_s - monotonic() > longest_gap_s:
            sleep(longest_gap_s)
            last = _again(last, longest_gap_s)
            yield last
        sleep(max(0.0, due_s - monotonic()))
        last = replace(frame, captured_s=monotonic())
        yield last


def _again(frame: Frame, gap_s: float) -> Frame:
    later = frame.pts + round(Fraction(gap_s) / frame.time_base)
    return replace(frame, pts=later, captured_s=monotonic())


def spread_out(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The frames of a stream that comes in bursts, each in its own time and stamped with the moment it is let go.

    What comes late (the next burst did) sets the pace anew, and so does a leap in the stream's time.
    """
    start_s = 0.0
    for frame in frames:
        early_s = start_s + frame.time_s - monotonic()
        if not -LATEST_S <= early_s <= LARGEST_DRIFT_S:
            start_s, early_s = monotonic() - frame.time_s, 0.0
        sleep(max(0.0, early_s))
        yield replace(frame, captured_s=monotonic())


class OneClock:
    """One clock for all that an input gives, however often it begins anew: milliseconds since the first frame.

    It never goes back: a burst from a buffer runs ahead of the clock, and then the input's own time may be set again.
    """

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._session = 0
        self._offset_s = 0.0
        self._last_ms = -1

    def on_the_clock(self, frame: Frame, session: int) -> Frame:
        """The input's own time where it agrees with the clock. session: another number when it has begun anew."""
        if self._start_s is None:
            self._start_s = frame.captured_s
        duration_ms = round(frame.duration * frame.time_base * 1000)
        clock_s = frame.captured_s - self._start_s
        if session != self._session or abs(clock_s - frame.time_s - self._offset_s) > LARGEST_DRIFT_S:
            earliest_s = (self._last_ms + max(duration_ms, 1)) / 1000 if self._last_ms >= 0 else 0.0
            self._session, self._offset_s = session, max(clock_s, earliest_s) - frame.time_s
        pts = self._rising(round((frame.time_s + self._offset_s) * 1000))
        return replace(frame, pts=pts, time_base=MILLISECOND, duration=duration_ms)

    def again(self, frame: Frame) -> Frame:
        """The same picture, now. frame: one that is on the clock."""
        now_s = monotonic()
        pts = self._rising(frame.pts + round((now_s - frame.captured_s) * 1000))
        return replace(frame, pts=pts, captured_s=now_s)

    def _rising(self, time_ms: int) -> int:
        self._last_ms = max(time_ms, self._last_ms + 1)
        return self._last_ms
