"""Real-time pacing of frames that could come faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic, sleep

from .frame import Frame


def pace(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, none before its time, stamped with the moment they are let go."""
    start_s: float | None = None
    for frame in frames:
        now_s = monotonic()
        if start_s is None:
            start_s = now_s - frame.time_s
        ahead_s = start_s + frame.time_s - now_s
        if ahead_s > 0:
            sleep(ahead_s)
        yield replace(frame, captured_s=monotonic())
