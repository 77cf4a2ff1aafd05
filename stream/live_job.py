"""`pullfocus live` and `pullfocus bench`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import cv2

from ..kernels.api import Picture
from ..kernels.errors import InputError
from .atomic import check_target
from .clock import pace
from .config import Settings
from .focus import FocusPuller
from .frame import Frame
from .pipeline import Sink, Source, run
from .prepare import prepared
from .report import Report
from .sinks import NullSink
from .synthetic import SyntheticSource

DEFAULT_SIZE_HW = (480, 640)
DEFAULT_RATE = 30.0


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for. frames: stop after so many, 0 = go on."""

    source: str = "0"
    sink: str = "window"
    size_hw: tuple[int, int] | None = None
    rate: float | None = None
    mirror: bool = False
    frames: int = 0
    overwrite: bool = False


def run_live(request: LiveRequest, settings: Settings) -> Report:
    """Run until the source ends, the user quits or Ctrl-C. Raises InputError, OutputError, EngineError."""
    puller = FocusPuller(settings.focus)
    with ExitStack() as stack:
        # The window first: see `window`.
        sink = _window(stack, puller, settings) if request.sink == "window" else None
        source = _source(stack, request, paced=True)
        adjusted = Adjusted(
            source, None if request.source.isdigit() else request.size_hw, request.mirror, request.frames
        )
        if sink is None:
            sink = _quiet_sink(stack, request)
        parts = stack.enter_context(prepared(settings))
        report = run(adjusted, parts.stages(settings, puller), sink, engine=parts.engine)
    return report.with_notes(list(getattr(source, "notes", [])))


def run_bench(request: LiveRequest, settings: Settings) -> Report:
    """As fast as it goes, every frame, into nothing."""
    with ExitStack() as stack:
        source = _source(stack, request, paced=False)
        adjusted = Adjusted(source, request.size_hw, request.mirror, request.frames)
        parts = stack.enter_context(prepared(settings))
        return run(adjusted, parts.stages(settings, FocusPuller(settings.focus)), NullSink(), engine=parts.engine)


class Adjusted:
    """A source's frames mirrored, resized or cut short."""

    def __init__(self, source: Source, size_hw: tuple[int, int] | None, mirror: bool, frames: int) -> None:
        self._source, self._size_hw, self._mirror, self._frames = source, size_hw, mirror, frames
        self.live = source.live

    def frames(self) -> Iterator[Frame]:
        for frame in self._source.frames():
            if self._frames and frame.index >= self._frames:
                return
            yield replace(frame, picture=self._adjusted(frame.picture))

    def _adjusted(self, picture: Picture) -> Picture:
        if self._size_hw is not None and picture.shape[:2] != self._size_hw:
            height, width = self._size_hw
            picture = cast(Picture, cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
        return cast(Picture, cv2.flip(picture, 1)) if self._mirror else picture


class PacedFile:
    """A video file as if it were a camera: in real time, newest frame wins."""

    live = True

    def __init__(self, source: Source) -> None:
        self._source = source

    def frames(self) -> Iterator[Frame]:
        return pace(self._source.frames())


def _window(stack: ExitStack, puller: FocusPuller, settings: Settings) -> Sink:
    from .window import WindowSink

    window = WindowSink(puller, settings.view)
    stack.callback(window.close)
    return window


def _quiet_sink(stack: ExitStack, request: LiveRequest) -> Sink:
    if request.sink == "null":
        return NullSink()
    from .live_info import live_info
    from .video_out import container_of, video_sink

    target = Path(request.sink)
    container_of(target)
    check_target(target, request.overwrite)
    return stack.enter_context(video_sink(target, live_info(request.rate or DEFAULT_RATE)))


def _source(stack: ExitStack, request: LiveRequest, paced: bool) -> Source:
    if request.source == "synthetic":
        rate = Fraction(request.rate or DEFAULT_RATE).limit_denominator(1001)
        return SyntheticSource(request.size_hw or DEFAULT_SIZE_HW, rate, live=paced, frames=request.frames)
    if request.source.isdigit():
        if not paced:
            raise InputError("bench measures files and synthetic pictures; a camera would only show its own rate")
        from .camera import CameraSource

        camera = CameraSource(int(request.source), request.size_hw, request.rate)
        stack.callback(camera.close)
        return camera
    from .video_in import VideoSource

    is_url = "://" in request.source
    video = stack.enter_context(VideoSource(request.source, live=is_url))
    return PacedFile(video) if paced and not is_url else video
