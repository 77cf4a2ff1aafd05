"""Segments of packets on disk: what they keep, and what damage they see."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pullfocus.kernels.errors import InputError
from pullfocus.stream.join import decode_times
from pullfocus.stream.packet_file import Facts, PacketFile, PacketWriter


def test_packets_keep_their_bytes_and_times_also_before_zero(tmp_path: Path, rng: np.random.Generator) -> None:
    packets: list[Packet[Any]] = []
    for number in range(30):
        packet = Packet(rng.bytes(int(rng.integers(1, 5000))))
        packet.pts, packet.duration, packet.is_keyframe = number * 7 - 100, number, number % 9 == 0
        packets.append(packet)
    writer = PacketWriter(tmp_path / "segment")
    writer.write(packets)
    facts = Facts((3, 4), Fraction(1001, 30_000), b"\0\1", (0, 7))
    writer.finish(facts)
    file = PacketFile(tmp_path / "segment")
    file.check()
    assert file.facts == facts
    for now, then in zip(file.packets(), packets, strict=True):
        assert bytes(now) == bytes(then)
        assert (now.pts, now.duration, now.is_keyframe) == (then.pts, then.duration, then.is_keyframe)
        assert now.time_base == facts.time_base
    content = (tmp_path / "segment").read_bytes()
    for size in rng.integers(0, len(content), 20):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(InputError, match="damaged"):
            PacketFile(tmp_path / "cut")


def test_packets_keep_what_lies_beside_their_bytes(tmp_path: Path, rng: np.random.Generator) -> None:
    """Alpha of VP9 travels as side data."""
    output = av.open(str(tmp_path / "x"), "w", format="webm")
    stream = output.add_stream("libvpx-vp9", rate=25)
    assert isinstance(stream, VideoStream)
    stream.codec_context.width, stream.codec_context.height, stream.codec_context.pix_fmt = 32, 32, "yuva420p"
    frame = VideoFrame.from_ndarray(rng.integers(0, 256, (32, 32, 4), np.uint8), format="rgba")
    packets = [*stream.encode(frame.reformat(format="yuva420p")), *stream.encode(None)]
    writer = PacketWriter(tmp_path / "segment")
    writer.write(packets)
    writer.finish(Facts((32, 32), Fraction(1, 25), b"", ()))
    (then,), (now,) = ([*packets], [*PacketFile(tmp_path / "segment").packets()])
    beside = [(side.data_type, bytes(side)) for side in then.iter_sidedata()]
    assert "matroska_block_additional" in dict(beside)
    assert [(side.data_type, bytes(side)) for side in now.iter_sidedata()] == beside
    assert bytes(now) == bytes(then)


@pytest.mark.parametrize(
    ("shown", "decoded"),
    [([0, 3, 1, 2], [-1, 0, 1, 2]), ([5], [5]), ([0, 40, 10, 20, 90, 80], [-10, 0, 10, 20, 40, 80])],
)
def test_decoding_times_rise_and_none_is_after_what_it_shows(shown: list[int], decoded: list[int]) -> None:
    """I P B B: the P is decoded before the Bs, so all is decoded one frame ahead."""
    assert decode_times(shown) == decoded
    assert all(dts <= pts for dts, pts in zip(decoded, shown))
