"""Whole pictures from interlaced frames, whose odd and even lines were taken at two moments."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

from av.error import BlockingIOError as NotYet
from av.error import EOFError as NoMore
from av.filter import Graph
from av.video.frame import VideoFrame

DEFAULT_TIME_BASE = Fraction(1, 90_000)


class Deinterlacer:
    """From the first interlaced frame on, frames pass through bwdif: one out for one in, each with its own time.

    Frames that are marked as progressive keep their pixels.
    """

    def __init__(self) -> None:
        self.count = 0  # interlaced frames
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self._times: deque[tuple[int | None, int, Fraction]] = deque()  # of the frames within the filter

    def over(self, frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """The frames, none of them interlaced. They come one later than they went in."""
        for frame in frames:
            self.count += frame.interlaced_frame
            if self._graph is None and not frame.interlaced_frame:
                yield frame
                continue
            if self._graph is None or _shape(frame) != self._shape:
                yield from self._flush()
                self._open(frame)
            yield from self._push(frame)
        yield from self._flush()

    def _open(self, frame: VideoFrame) -> None:
        self._shape = _shape(frame)
        self._graph = graph = Graph()
        height, width, pixels = self._shape
        source = graph.add(
            "buffer",
            video_size=f"{width}x{height}",
            pix_fmt=pixels,
            time_base=str(frame.time_base or DEFAULT_TIME_BASE),
        )
        # A frame in, a frame out; the parity and whether a frame is interlaced at all come from its flags.
        graph.link_nodes(source, graph.add("bwdif", "send_frame:auto:interlaced"), graph.add("buffersink")).configure()

    def _push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        assert self._graph is not None
        self._times.append((frame.pts, frame.duration or 0, frame.time_base or DEFAULT_TIME_BASE))
        self._graph.vpush(frame)
        yield from self._pull()

    def _pull(self) -> Iterator[VideoFrame]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.vpull()
            except (NotYet, NoMore):
                return
            frame.pts, frame.duration, frame.time_base = self._times.popleft()  # the filter counts in half ticks
            yield frame

    def _flush(self) -> Iterator[VideoFrame]:
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._pull()
            self._graph = None


def _shape(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.height, frame.width, frame.format.name
