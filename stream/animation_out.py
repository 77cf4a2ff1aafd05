"""Animated GIF and WebP: few colours or one packet for all, whole hundredths of a second, a loop."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.error import BlockingIOError as NotYet
from av.error import EOFError as NoMore
from av.error import FFmpegError
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .clock import MILLISECOND
from .stored import StoredFrame
from .video_out import writing

ANIMATIONS = {".gif": "gif", ".webp": "webp"}
CENTISECOND = Fraction(1, 100)  # the unit of GIF's delays
# Each frame has its own 255 colours and one that is transparent.
_PALETTE, _USE = "stats_mode=single", "new=1:dither=sierra2_4a:alpha_threshold=128"
WEBP_OPTIONS = {"quality": "90", "compression_level": "4"}
FOR_EVER = 0  # as both files count their loops
HEADER_BYTES = 1 << 16


def write_animation(target: Path, frames: Iterable[StoredFrame], aside: Path, plays: int) -> list[str]:
    """An animated GIF or WebP, as the name `target` asks, at `aside`; returns what it could not hold.

    plays: how often it is shown, 0 = for ever. Raises OutputError.
    """
    writer = _Writer(target, aside, plays)
    try:
        for frame in frames:
            writer.write(frame)
        writer.finish()
    finally:
        writer.close()
    return writer.notes


class _Writer:
    """One animation being written."""

    def __init__(self, target: Path, aside: Path, plays: int) -> None:
        self._path, self._aside, self._plays = target, aside, plays
        self._gif = target.suffix.lower() == ".gif"
        self._unit = CENTISECOND if self._gif else MILLISECOND
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._palette: Graph | None = None
        self._last = -1
        self._ends: dict[int, int] = {}
        self._dropped = 0

    @property
    def notes(self) -> list[str]:
        """What the file could not hold."""
        dropped = f"left out: {self._dropped} frames; {self._path.suffix[1:]} counts {float(self._unit):g} s"
        return [dropped] if self._dropped else []

    def write(self, frame: StoredFrame) -> None:
        """Encode one frame. Raises OutputError."""
        pts = round(frame.start_s / self._unit)
        if pts <= self._last:  # faster than the file can count
            self._dropped += 1
            return
        self._last = pts
        self._ends[pts] = max(round((frame.start_s + frame.duration_s) / self._unit) - pts, 1)
        with writing(self._path):
            stream = self._stream or self._open(frame.picture.shape[:2])
            picture = VideoFrame.from_ndarray(_with_alpha(frame), format="rgba")
            picture.pts, picture.time_base = pts, self._unit
            for drawn in self._drawn(picture):
                self._mux(stream, drawn)

    def _open(self, size_hw: tuple[int, ...]) -> VideoStream:
        name = "gif" if self._gif else "webp"
        # GIF counts repetitions and says once by saying nothing; WebP counts plays.
        loop = self._plays if not self._gif or self._plays == FOR_EVER else self._plays - 1 or -1
        options = {"loop": str(loop)}
        self._output = av.open(f"file:{self._aside.absolute()}", "w", format=name, container_options=options)
        codec = "gif" if self._gif else "libwebp_anim"
        stream = self._output.add_stream(codec, rate=100, options={} if self._gif else WEBP_OPTIONS)
        self._stream = stream
        stream.codec_context.height, stream.codec_context.width = size_hw
        stream.codec_context.pix_fmt = "pal8" if self._gif else "bgra"
        stream.codec_context.time_base = stream.time_base = self._unit
        if self._gif:
            self._palette = _palette_graph(size_hw)
        return stream

    def _drawn(self, picture: VideoFrame | None) -> list[VideoFrame]:
        """The frames that are ready for the encoder."""
        if self._palette is None:
            return [picture.reformat(format="bgra")] if picture is not None else []
        self._palette.vpush(picture)
        ready: list[VideoFrame] = []
        while True:
            try:
                ready.append(self._palette.vpull())
            except (NotYet, NoMore):
                return ready

    def _mux(self, stream: VideoStream, frame: VideoFrame | None) -> None:
        assert self._output is not None
        packets = stream.encode(frame)
        if self._gif:  # a WebP animation is one packet, with all times in it
            for packet in packets:
                packet.duration = self._ends.pop(packet.pts or 0, 1)
        self._output.mux(packets)

    def finish(self) -> None:
        """Raises OutputError."""
        assert self._output is not None and self._stream is not None, "a film has a frame"  # noqa: PT018
        with writing(self._path):
            for drawn in self._drawn(None):
                self._mux(self._stream, drawn)
            self._mux(self._stream, None)
            self._output.close()

    def close(self) -> None:
        """Let go of the file; what is not finished is lost."""
        if self._output is not None:
            with suppress(FFmpegError):
                self._output.close()


def _palette_graph(size_hw: tuple[int, ...]) -> Graph:
    graph = Graph()
    source = graph.add("buffer", video_size=f"{size_hw[1]}x{size_hw[0]}", pix_fmt="rgba", time_base=str(CENTISECOND))
    split, colours, use = graph.add("split"), graph.add("palettegen", _PALETTE), graph.add("paletteuse", _USE)
    sink = graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(colours, 1, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph


def _with_alpha(frame: StoredFrame) -> np.ndarray:
    """`h w 4`; opaque where the frame has no alpha."""
    alpha = np.full(frame.picture.shape[:2], 255, np.uint8) if frame.alpha is None else frame.alpha
    return np.dstack((frame.picture, alpha))


def plays_of(path: Path) -> int:
    """How often an animated GIF or WebP is shown, 0 = for ever; 0 also for any other file."""
    if path.suffix.lower() not in ANIMATIONS or not path.is_file():
        return FOR_EVER
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if path.suffix.lower() == ".webp":
        at = head.find(b"ANIM")
        return int.from_bytes(head[at + 12 : at + 14], "little") if at >= 0 else 1
    at = head.find(b"NETSCAPE2.0\x03\x01")
    if at < 0:
        return 1
    repeats = int.from_bytes(head[at + 13 : at + 15], "little")
    return FOR_EVER if repeats == 0 else repeats + 1
