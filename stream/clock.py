"""Real-time pacing of frames that could come faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from time import monotonic, sleep

from .frame import Frame

MILLISECOND = Fraction(1, 1000)
LONGEST_GAP_S = 1.0


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
