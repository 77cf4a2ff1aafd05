"""Depth on disk: 16-bit PNG for pictures; for video one losslessly compressed grey16 file with timestamps.

65535 is inverse depth 1.0. A depth video is FFV1 in Matroska, one frame per picture, at the size at
which the depth was estimated.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..engines.atomic import written_aside
from ..kernels.api import InverseDepth
from ..kernels.errors import InputError, OutputError
from .frame import Frame
from .grey16 import from_grey16, to_grey16
from .pictures import write_picture
from .video_in import VideoInfo, open_input
from .video_out import writing

ENDING = ".mkv"
NEAR_S = 0.005  # Matroska counts milliseconds


class HasDepth(Protocol):
    @property
    def frame(self) -> Frame: ...
    @property
    def inverse_depth(self) -> InverseDepth: ...


def read_depth_picture(path: Path) -> InverseDepth:
    """A 16-bit grey PNG. Raises InputError."""
    if not path.is_file():
        raise InputError(f"--depth-in {path} does not exist")
    grey = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if grey is None or grey.ndim != 2 or grey.dtype != np.uint16:
        got = "no picture" if grey is None else f"{grey.dtype} {'grey' if grey.ndim == 2 else 'colour'}"
        raise InputError(f"--depth-in {path}: got {got}, expected a 16-bit grey PNG (65535 = inverse depth 1.0)")
    return from_grey16(grey)


def write_depth_picture(path: Path, inverse_depth: InverseDepth) -> None:
    """Raises OutputError."""
    write_picture(path, to_grey16(inverse_depth))


class DepthVideoSink:
    """One depth video being written. Make it with `depth_video_sink`."""

    def __init__(self, path: Path, aside: Path, info: VideoInfo) -> None:
        """path: the name it will have; aside: where it is written until then. Raises OutputError."""
        self._path, self._info = path, info
        with writing(path):
            self._output: OutputContainer = av.open(f"file:{aside.absolute()}", "w", format="matroska")
        self._stream: VideoStream | None = None

    def write(self, item: HasDepth, /) -> bool:
        """Encode one frame's depth. Raises OutputError."""
        grey = to_grey16(item.inverse_depth)
        frame = VideoFrame.from_ndarray(grey, format="gray16le")
        frame.pts, frame.time_base = item.frame.pts, self._info.time_base
        with writing(self._path):
            if self._stream is None:
                self._stream = self._open(grey.shape)
            self._output.mux(self._stream.encode(frame))
        return True

    def _open(self, size_hw: tuple[int, ...]) -> VideoStream:
        rate = self._info.rate.limit_denominator(1 << 16)
        stream = self._output.add_stream("ffv1", rate=rate, options={"level": "3"})
        stream.codec_context.height, stream.codec_context.width = size_hw
        stream.codec_context.pix_fmt = "gray16le"
        stream.codec_context.time_base = self._info.time_base
        stream.time_base = self._info.time_base
        return stream

    def finish(self) -> None:
        if self._stream is None:
            raise OutputError("no frame arrived, so there is no depth to write")
        with writing(self._path):
            self._output.mux(self._stream.encode(None))
            self._output.close()

    def close(self) -> None:
        with suppress(FFmpegError):
            self._output.close()


@contextmanager
def depth_video_sink(path: Path, info: VideoInfo) -> Generator[DepthVideoSink]:
    """A sink for a depth video; the file appears at a clean end of the block. Raises InputError, OutputError."""
    if path.suffix.lower() != ENDING:
        raise InputError(
            f"{path}: a depth video is lossless Matroska; got {path.suffix!r}, expected the ending {ENDING}"
        )
    with written_aside(path) as aside:
        sink = DepthVideoSink(path, aside, info)
        try:
            yield sink
            sink.finish()
        finally:
            sink.close()


class DepthVideo:
    """A depth video as the source of depth, frame by frame, checked against the pictures' timestamps."""

    def __init__(self, path: Path, from_s: float | None = None) -> None:
        """Raises InputError when `path` is no depth video.

        from_s: only the part from this time of the film on is asked for; the depth video's times are the film's.
        """
        self._path = path
        self._container = open_input(str(path))
        streams = self._container.streams.video
        if not streams or streams[0].codec_context.pix_fmt != "gray16le":
            self._container.close()
            got = streams[0].codec_context.pix_fmt if streams else "no video"
            raise InputError(f"--depth-in {path}: got {got}, expected grey16 as `pullfocus depth` writes it")
        self._frames = self._container.decode(streams[0])
        self._offset_s = None if from_s is None else 0.0
        self._skips = from_s is not None
        if from_s is not None:
            self._container.seek(int(from_s * av.time_base))  # every frame is a key frame

    def depth_of(self, frame: Frame, cut: bool = False) -> InverseDepth:
        """The next frame's inverse depth. Raises InputError when it is not of this frame."""
        del cut  # stored depth is used as it is
        try:
            stored = next(self._frames, None)
            while self._skips and stored is not None and _time_s(stored) < frame.time_s - NEAR_S:
                stored = next(self._frames, None)
            self._skips = False
        except FFmpegError as error:
            raise InputError(f"--depth-in {self._path}: damaged at frame {frame.index} ({error.strerror})") from error
        if stored is None:
            raise InputError(f"--depth-in {self._path}: ends before frame {frame.index} of the video")
        self._check_time(_time_s(stored), frame)
        return from_grey16(stored.to_ndarray())

    def _check_time(self, time_s: float, frame: Frame) -> None:
        # Matroska counts milliseconds and may start elsewhere: compare against the first frame's offset.
        if self._offset_s is None:
            self._offset_s = time_s - frame.time_s
        if abs(time_s - self._offset_s - frame.time_s) > NEAR_S:
            raise InputError(
                f"--depth-in {self._path}: frame {frame.index} is at {time_s - self._offset_s:.3f} s, the video's at "
                f"{frame.time_s:.3f} s; it was made from another video"
            )

    def close(self) -> None:
        self._container.close()


def _time_s(stored: VideoFrame) -> float:
    return float((stored.pts or 0) * (stored.time_base or Fraction(0)))
