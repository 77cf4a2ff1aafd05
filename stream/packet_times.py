"""When a packet plays: moved to another time, and cut to a part of the film."""

from __future__ import annotations

from av.packet import Packet
from av.stream import Stream

from .span import Cut


def shift(packet: Packet[Stream], ticks: int) -> None:
    """Moves a packet that has a decoding time by `ticks` of its time base."""
    assert packet.dts is not None
    packet.dts += ticks
    packet.pts = packet.pts + ticks if packet.pts is not None else packet.dts


def cut_to(packet: Packet[Stream], cut: Cut, shorten: bool) -> bool:
    """Move a packet so that the cut's start is 0; False where it lies outside.

    shorten: what begins early or ends late may be shown for less time, as subtitles may.
    The packet that ends as the cut begins is kept too: a decoder needs it, and what lies before 0 is not played.
    """
    if packet.pts is None:
        packet.pts = packet.dts
    assert packet.pts is not None
    unit = packet.time_base
    first, end = round(cut.start_s / unit), None if cut.end_s is None else round(cut.end_s / unit)
    last = packet.pts + (packet.duration or 0)
    if last < first or (end is not None and packet.pts >= end):
        return False
    if shorten:
        if last <= first and packet.duration:
            return False
        begin = max(packet.pts, first)
        packet.duration = max((last if end is None else min(last, end)) - begin, 0)
        packet.pts = packet.dts = begin
    shift(packet, -first)
    return True
