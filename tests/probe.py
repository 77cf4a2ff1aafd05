"""What a video file holds, read with PyAV alone, for comparing an output with its input."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame


@dataclass(frozen=True)
class Sound:
    """codec and the digest of all compressed packets' bytes."""

    codec: str
    digest: str
    packets: int


@dataclass(frozen=True)
class Probe:
    times_s: list[float]
    end_s: float
    rate: float
    size_wh: tuple[int, int]
    matrix: bytes | None
    sample_aspect: Fraction
    tags: tuple[int, int, int]
    full_range: bool
    sound: list[Sound]


def decode_all(path: Path) -> list[VideoFrame]:
    """All frames that can be decoded; damaged packets are passed over."""
    frames: list[VideoFrame] = []
    with av.open(f"file:{path}") as container:
        # With frame threads, as most players do: what is concealed after damage depends on it.
        container.streams.video[0].thread_type = "AUTO"
        for packet in container.demux(container.streams.video[0]):
            try:
                frames += packet.decode()  # pyright: ignore[reportOperatorIssue]
            except FFmpegError:
                continue
    return frames


def probe(path: Path) -> Probe:
    frames = decode_all(path)
    first, last = frames[0], frames[-1]
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[0]
        sound = [_sound(path, audio.index) for audio in container.streams.audio]
        rate = float(stream.guessed_rate or 30)
        sample_aspect = stream.sample_aspect_ratio or Fraction(1)
    side_data = first.side_data.get("DISPLAYMATRIX")
    assert last.time_base is not None
    return Probe(
        times_s=[frame.time for frame in frames],
        end_s=last.time + float((last.duration or 0) * last.time_base),
        rate=rate,
        size_wh=(first.width, first.height),
        matrix=bytes(side_data) if side_data is not None else None,
        sample_aspect=sample_aspect,
        tags=(first.color_primaries, first.color_trc, first.colorspace),
        full_range=first.color_range == 2,
        sound=sound,
    )


def _sound(path: Path, index: int) -> Sound:
    digest, packets = hashlib.sha256(), 0
    with av.open(f"file:{path}") as container:
        stream = container.streams[index]
        try:
            for packet in container.demux(stream):
                if packet.size:
                    digest.update(bytes(packet))
                    packets += 1
        except FFmpegError:
            pass
        return Sound(stream.codec_context.name, digest.hexdigest(), packets)
