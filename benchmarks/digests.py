"""What a video file holds, in one number: to tell whether two files show and sound the same."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import av
from av.error import FFmpegError


def readable(path: Path) -> bool:
    """Whether at least one frame can be decoded."""
    try:
        with av.open(f"file:{path.absolute()}") as container:
            return next(container.decode(video=0), None) is not None
    except (FFmpegError, OSError):
        return False


def digest(path: Path) -> str:
    """Of every decoded picture with its time, and of every packet of sound with its time."""
    total = sha256()
    with av.open(f"file:{path.absolute()}") as container:
        for frame in container.decode(video=0):
            total.update(f"{frame.pts} {frame.time_base}".encode())
            total.update(frame.to_ndarray().tobytes())
    with av.open(f"file:{path.absolute()}") as container:
        for packet in container.demux(container.streams.audio):
            total.update(f"{packet.stream.index} {packet.pts} {packet.time_base}".encode())
            total.update(bytes(packet))
    return total.hexdigest()
