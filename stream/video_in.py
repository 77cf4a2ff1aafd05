"""Video files and network streams through PyAV: upright RGB frames with exact timestamps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Lock
from time import monotonic
from types import TracebackType

import av
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..kernels.errors import InputError
from .colour import ColourConverter, ColourTags
from .frame import Frame
from .labels import main_video
from .orientation import Orientation, parse_matrix
from .span import Cut
from .timeline import Timeline

DEFAULT_RATE = Fraction(30)
LONGEST_BELIEVABLE_S = 48 * 3600.0  # fragmented files may claim days
OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 10.0
MOST_BAD_PACKETS = 200  # in a row


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a sink needs to know of its source. size_hw is the coded size, before turning upright."""

    size_hw: tuple[int, int]
    rate: Fraction
    time_base: Fraction
    pix_fmt: str
    tags: ColourTags
    bits: int = 8
    matrix: tuple[int, ...] | None = None
    orientation: Orientation = field(default_factory=Orientation)
    sample_aspect: Fraction | None = None
    frames: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: Cut | None = None  # the part of the film that is read


def open_input(location: str) -> InputContainer:
    """Open a file or URL. Raises InputError in one line."""
    is_url = "://" in location
    if not is_url and not Path(location).is_file():
        what = "is a folder; expected a video file" if Path(location).is_dir() else "does not exist"
        raise InputError(f"{location} {what}")
    # An absolute path keeps names such as "-a.mp4" or "a:b.mp4" from being read as options or protocols.
    name = location if is_url else f"file:{Path(location).absolute()}"
    try:
        timeout = (OPEN_TIMEOUT_S, READ_TIMEOUT_S) if is_url else None
        return av.open(name, "r", timeout=timeout, metadata_errors="replace")
    except (FFmpegError, OSError) as error:
        raise InputError(f"{location}: not a readable video ({reason(error)})") from error


class VideoSource:
    """A video file (`live=False`) or a network stream (`live=True`)."""

    def __init__(self, location: str, live: bool = False) -> None:
        """Opens the input and decodes the first frame. Raises InputError."""
        self.location, self.live = location, live
        self.bad_packets = 0
        self.ends_early = False  # the file is damaged so badly that its rest cannot be found
        self._reading = Lock()
        self._container = open_input(location)
        try:
            self._stream = self._video_stream()
            self._decoded = self._decode()
            self._first = self._first_frame()
            self.info = self._describe(self._first)
        except BaseException:
            self._container.close()
            raise
        self._converter = ColourConverter(self.info.tags)

    def frames(self) -> Iterator[Frame]:
        timeline, last_pts = Timeline(self.info.time_base), None
        for index, decoded in enumerate(self._all()):
            self._check(decoded)
            pts = decoded.pts if decoded.pts is not None else self._guessed_pts(last_pts)
            last_pts = pts
            pts = timeline.follow(pts, decoded.duration or 0)
            picture = self.info.orientation.upright(self._converter.to_rgb(decoded, self.info.size_hw))
            yield Frame(picture, index, pts, self.info.time_base, decoded.duration or 0, monotonic())

    def _all(self) -> Iterator[VideoFrame]:
        yield self._first
        yield from self._decoded

    def _video_stream(self) -> VideoStream:
        stream = main_video(self._container.streams.video)
        if stream is None:
            raise InputError(f"{self.location}: holds no video, only {self._other_kinds()}")
        stream.thread_type = "AUTO"
        return stream

    def _other_kinds(self) -> str:
        return ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing"

    def _decode(self) -> Iterator[VideoFrame]:
        """Every frame that can be decoded; damaged packets are skipped and counted."""
        bad_in_a_row = 0
        for packet in self._packets():
            try:
                yield from self._stream.decode(packet)
                bad_in_a_row = 0
            except InvalidDataError as error:
                self.bad_packets += 1
                bad_in_a_row += 1
                if bad_in_a_row >= MOST_BAD_PACKETS:
                    raise InputError(f"{self.location}: {bad_in_a_row} damaged packets in a row") from error
            except FFmpegError as error:
                raise InputError(f"{self.location}: cannot read on ({reason(error)})") from error

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The video's packets, and at the end what flushes the decoder."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                with self._reading:
                    packet = next(packets, None)
            except InvalidDataError:
                # The demuxer cannot find its way on; the decoder still holds whole frames.
                self.ends_early = True
                yield None
                return
            except FFmpegError as error:
                raise InputError(f"{self.location}: cannot read on ({reason(error)})") from error
            if packet is None:
                return
            yield packet

    def _first_frame(self) -> VideoFrame:
        frame = next(self._decoded, None)
        if frame is None:
            raise InputError(f"{self.location}: no frame can be decoded; the video is empty or damaged")
        return frame

    def _check(self, frame: VideoFrame) -> None:
        if frame.interlaced_frame:
            raise InputError(
                f"{self.location}: is interlaced; this version handles progressive video: deinterlace it first"
            )

    def _describe(self, first: VideoFrame) -> VideoInfo:
        self._check(first)
        stream = self._stream
        try:
            tags = ColourTags.of(first)
        except InputError as error:
            raise InputError(f"{self.location}: {error}") from error
        side_data = first.side_data.get("DISPLAYMATRIX")
        matrix = parse_matrix(bytes(side_data)) if side_data is not None else None
        return VideoInfo(
            size_hw=(first.height, first.width),
            rate=stream.average_rate or stream.guessed_rate or DEFAULT_RATE,
            time_base=stream.time_base or 1 / DEFAULT_RATE,
            pix_fmt=first.format.name,
            bits=max(component.bits for component in first.format.components),
            tags=tags,
            matrix=matrix,
            orientation=Orientation.from_matrix(matrix) if matrix else Orientation(),
            sample_aspect=stream.sample_aspect_ratio,
            frames=self._frame_count(),
            metadata=self._container.metadata,
        )

    def _frame_count(self) -> int | None:
        """The number of frames for a progress bar, None where the file does not say or cannot be believed."""
        if self._stream.frames:
            return self._stream.frames
        duration_s = (self._container.duration or 0) / av.time_base
        if not 0 < duration_s < LONGEST_BELIEVABLE_S or not self._stream.average_rate:
            return None
        return round(duration_s * self._stream.average_rate)

    def _guessed_pts(self, last_pts: int | None) -> int:
        step = round(1 / (self.info.rate * self.info.time_base))
        return 0 if last_pts is None else last_pts + max(step, 1)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Of the upright frames."""
        return self.info.orientation.upright_hw(self.info.size_hw)

    @property
    def notes(self) -> list[str]:
        """What the user should know about the input, once it has been read."""
        notes = [f"damaged packets of the input that were skipped: {self.bad_packets}"] if self.bad_packets else []
        return [*notes, *(["the input ends early: it is damaged"] if self.ends_early else [])]

    def close(self) -> None:
        # FFmpeg frees what a thread that is still reading uses, which crashes. Such a thread has outlasted its
        # deadline (a dead network); the process is about to end and takes the input with it.
        if self._reading.acquire(blocking=False):
            self._container.close()

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reason(error: Exception) -> str:
    """What FFmpeg or the system says is wrong, in a few words."""
    return getattr(error, "strerror", None) or str(error)
