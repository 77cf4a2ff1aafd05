"""Depth on disk: 16-bit PNG for pictures; for video one losslessly compressed grey16 file with timestamps.

65535 is inverse depth 1.0. A depth video is FFV1 in Matroska, one frame per picture, used as it is; with the tag
EDGES it is a net's small depth, which gets its edges from the picture. The tag CUTS holds the numbers of the frames
that begin a scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..kernels.api import InverseDepth, Kernels, load
from ..kernels.errors import InputError
from ..kernels.grey16 import from_grey16, to_grey16
from .film_input import open_input
from .frame import Frame, Sensed
from .pictures import write_picture
from .stages import with_edges
from .state import State
from .video_info import VideoInfo

ENDING = ".mkv"
CUTS_TAG, NO_CUTS = "CUTS", "none"
EDGES_TAG, FROM_PICTURE = "EDGES", "picture"  # of depth that is to get its edges from the picture
NEAR_S = 0.005  # Matroska counts milliseconds


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


def check_ending(path: Path) -> None:
    """Raises InputError for what no depth video can be called."""
    if path.suffix.lower() != ENDING:
        raise InputError(
            f"{path}: a depth video is lossless Matroska; got {path.suffix!r}, expected the ending {ENDING}"
        )


class DepthEncoder:
    """The stream of a depth video. FFmpeg's errors pass through."""

    def __init__(self, output: OutputContainer, info: VideoInfo, size_hw: tuple[int, int]) -> None:
        """info: of the pictures' video; size_hw: of the depth."""
        self._time_base = info.time_base
        stream = output.add_stream("ffv1", rate=info.rate.limit_denominator(1 << 16), options={"level": "3"})
        assert isinstance(stream, VideoStream)
        stream.codec_context.height, stream.codec_context.width = size_hw
        stream.codec_context.pix_fmt = "gray16le"
        stream.codec_context.time_base = stream.time_base = info.time_base
        self.stream = stream

    @property
    def notes(self) -> list[str]:
        """Nothing of the depth is lost."""
        return []

    def encode(self, inverse_depth: InverseDepth, frame: Frame) -> list[Packet[VideoStream]]:
        """The depth of `frame`, whose time it gets."""
        coded = VideoFrame.from_ndarray(to_grey16(inverse_depth), format="gray16le")
        coded.pts, coded.time_base = frame.pts, self._time_base
        return self.stream.encode(coded)

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that the encoder still held."""
        return self.stream.encode(None)


def cut_tags(cuts: Sequence[int]) -> dict[str, str]:
    """The tags that say which frames, by number, begin another scene than the frame before."""
    return {CUTS_TAG: " ".join(map(str, cuts)) or NO_CUTS}


def small_tags(cuts: Sequence[int]) -> dict[str, str]:
    """The same, of depth without the picture's edges."""
    return cut_tags(cuts) | {EDGES_TAG: FROM_PICTURE}


def is_of_a_net(path: Path) -> bool:
    """Whether a depth video is what `--depth-out` wrote: depth of a net, still without the picture's edges."""
    try:
        with open_input(str(path)) as container:
            return container.metadata.get(EDGES_TAG) == FROM_PICTURE
    except InputError:
        return False  # said when it is to be used


class DepthVideo:
    """A depth video as the source of depth, frame by frame, checked against the pictures' timestamps."""

    def __init__(self, path: Path, from_s: float | None = None, kernels: Kernels | None = None) -> None:
        """Raises InputError when `path` is no depth video.

        from_s: only the part from this time of the film on is asked for; the depth video's times are the film's.
        kernels: those that have the frames' pictures, and get the depth; None: the CPU's.
        """
        self._path, self._kernels = path, kernels or load("cpu")
        self._container = open_input(str(path))
        streams = self._container.streams.video
        if not streams or streams[0].codec_context.pix_fmt != "gray16le":
            self._container.close()
            got = streams[0].codec_context.pix_fmt if streams else "no video"
            raise InputError(f"--depth-in {path}: got {got}, expected grey16 as `pullfocus depth` writes it")
        # Numbers of frames are counted from where the depth video begins.
        self.cuts = self._stored_cuts() if from_s is None else None
        self._is_small = self._container.metadata.get(EDGES_TAG) == FROM_PICTURE
        self._frames = self._container.decode(streams[0])
        self._read = 0
        self._offset_s = None if from_s is None else 0.0
        self._skips = from_s is not None
        if from_s is not None:
            self._container.seek(int(from_s * av.time_base))  # every frame is a key frame

    def _stored_cuts(self) -> frozenset[int] | None:
        """The frames that begin a scene, None where the file does not say."""
        text = self._container.metadata.get(CUTS_TAG)
        if text is None:
            return None
        numbers = text.split() if text != NO_CUTS else []
        if not all(number.isdecimal() for number in numbers):
            raise InputError(f"--depth-in {self._path}: got {CUTS_TAG} {text[:40]!r}, expected the numbers of frames")
        return frozenset(map(int, numbers))

    def sense(self, frame: Frame, cut: bool = False) -> Sensed:
        """The next frame's inverse depth. Raises InputError when it is not of this frame."""
        try:
            stored = self._next()
            while self._skips and stored is not None and _time_s(stored) < frame.time_s - NEAR_S:
                stored = self._next()
            self._skips = False
        except FFmpegError as error:
            raise InputError(f"--depth-in {self._path}: damaged at frame {frame.index} ({error.strerror})") from error
        if stored is None:
            raise InputError(f"--depth-in {self._path}: ends before frame {frame.index} of the video")
        self._check_time(_time_s(stored), frame)
        depth = self._kernels.upload(from_grey16(stored.to_ndarray()))
        return with_edges(depth, frame, self._kernels, cut) if self._is_small else Sensed(frame, depth, cut)

    def _next(self) -> VideoFrame | None:
        self._read += 1
        return next(self._frames, None)

    def state(self) -> State:
        return {"read": self._read, "offset_s": self._offset_s}

    def restore(self, state: State) -> None:
        try:
            for _ in islice(self._frames, state["read"]):
                self._read += 1
        except FFmpegError as error:
            raise InputError(f"--depth-in {self._path}: damaged at frame {self._read} ({error.strerror})") from error
        self._offset_s = state["offset_s"]
        self._skips = self._skips and not self._read

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
