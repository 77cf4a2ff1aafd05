"""Where live frames come from, as `--source` names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..kernels.errors import InputError
from .clock import pace
from .frame import Frame
from .live_request import BENCH_SIZE_HW, DEFAULT_RATE, DEFAULT_SIZE_HW, LiveRequest
from .pipeline import Source
from .synthetic import SyntheticSource

if TYPE_CHECKING:  # at run time it brings PyAV in, which must come after the window
    from .video_in import VideoSource


class LiveSource(Source, Protocol):
    """A source in real time, with what the user should know about it at the end."""

    @property
    def notes(self) -> list[str]: ...


class SizedSource(Source, Protocol):
    """A source that knows the size of its upright frames beforehand."""

    @property
    def size_hw(self) -> tuple[int, int]: ...


def open_source(stack: ExitStack, request: LiveRequest) -> LiveSource:
    """The source asked for, closed with `stack`. Raises InputError."""
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


def open_bench_source(stack: ExitStack, request: LiveRequest) -> SizedSource:
    """The same for a bench, which takes every frame as fast as it comes. Raises InputError for a camera."""
    if request.camera is not None:
        raise InputError("bench measures files and synthetic pictures; a camera would only show its own rate")
    if request.source == "synthetic":
        return _synthetic(replace(request, size_hw=request.size_hw or BENCH_SIZE_HW), live=False)
    return _video(stack, request, live=False)


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
