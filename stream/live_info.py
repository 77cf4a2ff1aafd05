"""What a recording of a live source is written as."""

from __future__ import annotations

from fractions import Fraction

from .clock import MILLISECOND
from .colour import ColourTags
from .video_info import VideoInfo

BT709 = 1


def live_info(rate: float) -> VideoInfo:
    """8-bit BT.709, timestamps in milliseconds."""
    return VideoInfo(
        size_hw=(0, 0),
        rate=Fraction(rate).limit_denominator(1001),
        time_base=MILLISECOND,
        pix_fmt="yuv420p",
        tags=ColourTags(BT709, BT709, BT709),
    )
