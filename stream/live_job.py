"""`pullfocus live` and `pullfocus bench`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import cv2

from ..engines.atomic import check_target
from ..kernels.api import Picture
from ..kernels.errors import InputError
from .clock import MILLISECOND, pace
from .config import Settings
from .controls import Controls
from .focus import FocusPuller
from .frame import Frame
from .pipeline import Interrupted, Sink, Source, run
from .prepare import prepared
from .report import Report
from .sinks import NullSink
from .synthetic import SyntheticSource

if TYPE_CHECKING:  # at run time it brings PyAV in, which must come after the window
    from .video_in import VideoSource

DEFAULT_SIZE_HW = (480, 640)
BENCH_SIZE_HW = (720, 1280)
DEFAULT_RATE = 30.0
_CAMERA = re.compile(r"(?:/dev/video)?([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for. frames: stop after so many of the source's, 0 = go on. Raises InputError."""

    source: str = "0"
    sink: str = "window"
    size_hw: tuple[int, int] | None = None
    rate: float | None = None
    mirror: bool = False
    frames: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.rate is not None and not 1.0 <= self.rate <= 1000.0:
            raise InputError(f"--fps: got {self.rate:g}, expected 1 to 1000")
        if self.frames < 0:
            raise InputError(f"--frames: got {self.frames}, expected 0 (no end) or more")

    @property
    def camera(self) -> int | None:
        """The number of the camera asked for, None for anything else."""
        match = _CAMERA.fullmatch(self.source)
        return int(match[1]) if match else None

    @property
    def is_url(self) -> bool:
        return "://" in self.source


def run_live(request: LiveRequest, settings: Settings) -> Report:
    """Run until the source ends, the user quits or Ctrl-C. Raises InputError, OutputError, EngineError."""
    puller = FocusPuller(settings)
    controls = Controls(settings, puller, request.mirror)
    with ExitStack() as stack:
        sink = _sink(stack, request, controls)  # the window first: see `window`
        source = _live_source(stack, request)
        # A camera delivers the size that it was asked for or says so; it is not stretched.
        size_hw = None if request.camera is not None else request.size_hw
        adjusted = Adjusted(source, size_hw, lambda: controls.mirror, request.frames)
        parts = stack.enter_context(prepared(settings))
        stages = parts.stages(settings, puller, controls)
        on_idle = sink.idle if isinstance(sink, WatchedSink) else None
        try:
            report = run(adjusted, stages, sink, engine=parts.engine, on_idle=on_idle)
        except Interrupted as stop:
            raise Interrupted(stop.report.with_notes(source.notes)) from stop
    return report.with_notes(source.notes)


def run_bench(request: LiveRequest, settings: Settings) -> Report:
    """As fast as it goes, every frame, into nothing. Compiling the net for the frames' size is not counted."""
    puller = FocusPuller(settings)
    with ExitStack() as stack:
        source = _bench_source(stack, request)
        size_hw = request.size_hw or source.size_hw
        adjusted = Adjusted(source, size_hw, lambda: request.mirror, request.frames)
        parts = stack.enter_context(prepared(settings, warm_up_hw=size_hw))
        stages = parts.stages(settings, puller)
        # Channels of one: latency holds one wait for the slowest stage at each end, not the length of long queues.
        return run(adjusted, stages, NullSink(), engine=parts.engine, capacity=1)


class Adjusted:
    """A source's frames in 8 bits, mirrored, resized or cut short; counted from 0 and timed in ms since the first."""

    def __init__(
        self, source: Source, size_hw: tuple[int, int] | None, mirror: Callable[[], bool], frames: int
    ) -> None:
        """mirror: asked for every frame."""
        self._source, self._size_hw, self._mirror, self._frames = source, size_hw, mirror, frames
        self.live = source.live

    def frames(self) -> Iterator[Frame]:
        first_s, time_ms = 0.0, -1
        for index, frame in enumerate(self._source.frames()):
            if index == 0:
                first_s = frame.time_s
            # A stream may repeat or turn back its timestamps; a recording's must rise.
            time_ms = max(time_ms + 1, round((frame.time_s - first_s) * 1000))
            duration_ms = round(frame.duration * frame.time_base * 1000)
            yield replace(
                frame,
                picture=self._adjusted(frame.picture8),
                transfer="srgb",
                alpha=None,
                index=index,
                pts=time_ms,
                time_base=MILLISECOND,
                duration=duration_ms,
            )
            if index + 1 == self._frames:
                return

    def _adjusted(self, picture: Picture) -> Picture:
        if self._size_hw is not None and picture.shape[:2] != self._size_hw:
            height, width = self._size_hw
            shrinks = height * width < picture.shape[0] * picture.shape[1]
            way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cast(Picture, cv2.resize(picture, (width, height), interpolation=way))
        return cast(Picture, cv2.flip(picture, 1)) if self._mirror() else picture


@runtime_checkable
class WatchedSink(Sink, Protocol):
    """A sink whose user may want something while no frame comes."""

    def idle(self) -> bool:
        """False ends the run."""
        ...


class LiveSource(Source, Protocol):
    """A source in real time, with what the user should know about it at the end."""

    @property
    def notes(self) -> list[str]: ...


class LiveVideo:
    """A file as if it were a camera, in real time; or a network stream, which comes in its own time."""

    live = True

    def __init__(self, video: VideoSource, paced: bool, notes: list[str]) -> None:
        self._video, self._paced, self._notes = video, paced, notes

    def frames(self) -> Iterator[Frame]:
        return pace(self._video.frames()) if self._paced else self._video.frames()

    @property
    def notes(self) -> list[str]:
        return [*self._notes, *self._video.notes]


def _sink(stack: ExitStack, request: LiveRequest, controls: Controls) -> Sink:
    if request.sink == "window":
        from .window import WindowSink

        window = WindowSink(controls)
        stack.callback(window.close)
        return window
    return NullSink() if request.sink == "null" else _recording(stack, request, controls.settings)


def _recording(stack: ExitStack, request: LiveRequest, settings: Settings) -> Sink:
    from .encoding import container_of
    from .live_info import live_info
    from .recording import Recording
    from .video_out import video_sink

    target, wish = Path(request.sink), settings.encoding
    wish.check(container_of(target))
    check_target(target, request.overwrite)
    return stack.enter_context(Recording(target, video_sink(target, live_info(request.rate or DEFAULT_RATE), wish)))


def _live_source(stack: ExitStack, request: LiveRequest) -> LiveSource:
    if request.source == "synthetic":
        return _synthetic(request, live=True)
    if request.camera is None:
        notes = [] if request.rate is None else [f"--fps is not for files and URLs; {request.source} kept its own rate"]
        video = _video(stack, request, live=request.is_url)
        # A film behind a URL comes as fast as the network goes; only a true stream paces itself.
        return LiveVideo(video, paced=not request.is_url or video.info.frames is not None, notes=notes)
    from .camera import CameraSource

    camera = CameraSource(request.camera, request.size_hw, request.rate)
    stack.callback(camera.close)
    return camera


class SizedSource(Source, Protocol):
    """A source that knows the size of its upright frames beforehand."""

    @property
    def size_hw(self) -> tuple[int, int]: ...


def _bench_source(stack: ExitStack, request: LiveRequest) -> SizedSource:
    if request.camera is not None:
        raise InputError("bench measures files and synthetic pictures; a camera would only show its own rate")
    if request.source == "synthetic":
        return _synthetic(replace(request, size_hw=request.size_hw or BENCH_SIZE_HW), live=False)
    return _video(stack, request, live=False)


def _synthetic(request: LiveRequest, live: bool) -> SyntheticSource:
    rate = Fraction(request.rate or DEFAULT_RATE).limit_denominator(1001)
    return SyntheticSource(request.size_hw or DEFAULT_SIZE_HW, rate, live=live, frames=request.frames)


def _video(stack: ExitStack, request: LiveRequest, live: bool) -> VideoSource:
    from .video_in import VideoSource

    if not request.is_url and not (request.source and Path(request.source).exists()):
        raise InputError(
            f"--source {request.source}: no such file; expected a camera's number, a file, a URL or synthetic"
        )
    return stack.enter_context(VideoSource(request.source, live))
