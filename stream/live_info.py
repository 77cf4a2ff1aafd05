"""What a recording of a live source is written as."""

from __future__ import annotations

from fractions import Fraction

from .clock import MILLISECOND
from .colour import ColourTags
from .frame import Frame
from .live_request import DEFAULT_RATE
from .video_info import VideoInfo

BT709 = 1
USUAL_RATES = (5.0, 10.0, 12.0, 15.0, 20.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0, 240.0)


def nominal_rate(frame: Frame, asked: float | None = None) -> float:
    """Frames a second of a live stream: as asked for, or the usual rate nearest to the frame's duration (whole ms)."""
    if asked is not None:
        return asked
    duration_s = float(frame.duration * frame.time_base)
    return min(USUAL_RATES, key=lambda rate: abs(duration_s - 1 / rate)) if duration_s > 0.0 else DEFAULT_RATE


def live_info(rate: float) -> VideoInfo:
    """8-bit BT.709, timestamps in milliseconds."""
    return VideoInfo(
        size_hw=(0, 0),
        rate=Fraction(rate).limit_denominator(1001),
        time_base=MILLISECOND,
        pix_fmt="yuv420p",
        tags=ColourTags(BT709, BT709, BT709),
    )
