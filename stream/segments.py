"""What a file job writes, segment by segment, so that an end at any moment costs no more than the last one.

Each segment has an encoder of its own and so needs no other to be decoded (a closed group of pictures). With the
state of all stages before its first frame, the run can go on from there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..engines.atomic import put_in_place
from .frame import Frame
from .job_folder import JobFolder
from .packet_file import Facts, PacketWriter
from .pipeline import Stage
from .side_streams import SideStreams
from .state import Remembers, State
from .video_info import VideoInfo
from .video_out import writing


class Item(Protocol):
    """What arrives at a file's sink."""

    @property
    def frame(self) -> Frame: ...
    @property
    def cut(self) -> bool: ...


class Encoder(Protocol):
    """An open video stream; see `PictureEncoder`."""

    stream: VideoStream

    @property
    def notes(self) -> list[str]:
        """What of the source was lost so far."""
        ...

    def encode(self, picture: Any, frame: Frame, /) -> list[Packet[VideoStream]]: ...

    def flush(self) -> list[Packet[VideoStream]]: ...


@dataclass(frozen=True, slots=True)
class Track:
    """One of the files that a job makes.

    name: of its segments. container: FFmpeg's name of the muxer. array: what of an item is encoded, `h w …`.
    encoder: makes one for arrays of a size (h, w). assemble: see `finish`. sides: adds the other streams to the file.
    info: of the film, whose labels the file gets. tags: of the file, given the frames that begin a scene.
    """

    name: str
    target: Path
    container: str
    array: Callable[[Any], NDArray[Any]]
    encoder: Callable[[OutputContainer, tuple[int, int]], Encoder]
    assemble: Callable[[Track, Sequence[Path], Path], list[str]]
    sides: Callable[[OutputContainer], SideStreams] | None = None
    info: VideoInfo | None = None
    tags: Callable[[Sequence[int]], dict[str, str]] | None = None

    def finish(self, segments: Sequence[Path], aside: Path) -> list[str]:
        """Make what is to stand under `target` of all its segments, at `aside`; returns what there is to say of it.

        Raises OutputError, and InputError where a segment is damaged.
        """
        return self.assemble(self, segments, aside)


class Snapshots:
    """The stages' states before the first frame of each segment, until the sink has come so far."""

    def __init__(self) -> None:
        self._states: dict[int, State] = {}
        self._lock = Lock()

    def put(self, frame: int, name: str, state: State) -> None:
        with self._lock:
            self._states.setdefault(frame, {})[name] = state

    def take(self, frame: int) -> State:
        """All states before `frame`, by the stages' names. Complete once that frame has passed the last stage."""
        with self._lock:
            return self._states.pop(frame, {})


class Remembering:
    """A stage whose state is put aside before the first frame of each segment."""

    def __init__(self, stage: Stage, memory: Remembers, snapshots: Snapshots, first: int, every: int) -> None:
        """memory: the stage itself. first: the number of the first frame that will come. every: a segment's length."""
        self._stage, self._memory, self._snapshots = stage, memory, snapshots
        self._seen, self._every = first, every

    @property
    def name(self) -> str:
        return self._stage.name

    def __call__(self, item: Any, /) -> Any:
        if self._seen % self._every == 0:
            self._snapshots.put(self._seen, self.name, self._memory.state())
        self._seen += 1
        return self._stage(item)


def remembering(stages: Iterable[Stage], snapshots: Snapshots, first: int, every: int, state: State) -> list[Stage]:
    """`stages`, those with a memory set to `state` (empty = as they are) and put aside as the run goes on.

    first, every: as of `Remembering`.
    """
    out = list[Stage]()
    for stage in stages:
        if not isinstance(stage, Remembers):
            out.append(stage)
            continue
        if state:
            stage.restore(state[stage.name])
        out.append(Remembering(stage, stage, snapshots, first, every))
    return out


class SegmentedSink:
    """Writes the tracks of a job from frame `first` on, which is the first of a segment."""

    def __init__(self, job: JobFolder, tracks: Sequence[Track], snapshots: Snapshots, first: int) -> None:
        self._job, self._tracks, self._snapshots = job, tracks, snapshots
        self._frames = first
        self._writers: list[SegmentWriter] = []

    def write(self, item: Item, /) -> bool:
        """Encode one frame. Raises OutputError."""
        if self._frames % self._job.segment_frames == 0:
            self._begin_segment()
        for writer in self._writers:
            writer.write(item)
        self._frames += 1
        self._job.reached = self._frames
        return True

    def _begin_segment(self) -> None:
        number, state = self._frames // self._job.segment_frames, self._snapshots.take(self._frames)
        if self._writers:
            self._finish_segment()
            self._job.save(number, state)
        for track in self._tracks:
            self._writers.append(SegmentWriter(self._job.segment(number, track.name), track, self._frames))

    def _finish_segment(self) -> None:
        for writer in self._writers:
            writer.finish()
        self._writers = []

    def finish(self) -> int:
        """After the last frame; returns the number of segments. Raises OutputError."""
        self._finish_segment()
        return -(-self._frames // self._job.segment_frames)

    def close(self) -> None:
        """Let go of all files; what is not finished is lost."""
        for writer in self._writers:
            writer.abandon()


class SegmentWriter:
    """One segment of one track: appears under its name when it is finished."""

    def __init__(self, path: Path, track: Track, first: int) -> None:
        """first: the number of its first frame."""
        self._path, self._track = path, track
        self._aside = path.with_name(f".{path.name}.part")
        with writing(track.target):
            self._file = PacketWriter(self._aside)
        # Nothing is written here: it tells the encoder what the packets are for.
        self._container = av.open(os.devnull, "w", format=track.container)
        self._encoder: Encoder | None = None
        self._size_hw = (0, 0)
        self._cuts: list[int] = []
        self._frames = first

    def write(self, item: Item) -> None:
        """Raises OutputError."""
        array = self._track.array(item)
        with writing(self._track.target):
            if self._encoder is None:
                self._size_hw = array.shape[0], array.shape[1]
                self._encoder = self._track.encoder(self._container, self._size_hw)
            self._file.write(self._encoder.encode(array, item.frame))
        if item.cut:
            self._cuts.append(self._frames)
        self._frames += 1

    def finish(self) -> None:
        """Raises OutputError."""
        assert self._encoder is not None, "a segment begins with a frame"
        with writing(self._track.target):
            self._file.write(self._encoder.flush())
            context = self._encoder.stream.codec_context
            assert context.time_base is not None
            headers, notes = context.extradata or b"", tuple(self._encoder.notes)
            self._file.finish(Facts(self._size_hw, context.time_base, headers, tuple(self._cuts), notes))
            put_in_place(self._aside, self._path)
        self._container.close()

    def abandon(self) -> None:
        self._file.abandon()
        self._container.close()
        with suppress(OSError):
            self._aside.unlink(missing_ok=True)
