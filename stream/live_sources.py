"""Where live frames come from, as `--source` names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..kernels.errors import InputError, paths_refused_in_words
from .clock import pace
from .damage import Damage, Telling
from .frame import Frame, GivesPlanes, for_card
from .live_request import BENCH_SIZE_HW, DEFAULT_RATE, DEFAULT_SIZE_HW, LiveRequest
from .pipeline import Source
from .reconnecting import Absence, Reconnecting, say
from .synthetic import SyntheticSource
from .urls import without_secrets

if TYPE_CHECKING:  # at run time it brings PyAV in, which must come after the window
    from .video_in import VideoSource


class LiveSource(Source, Protocol):
    """A source in real time, with what the user should know about it at the end.

    own_size: it gives the size that it was asked for or says so, and is not stretched. absence: how long it was away.
    first_hw: the size (h, w) of its first picture. damage: what was broken in it, None where that cannot be known.
    """

    @property
    def own_size(self) -> bool: ...

    @property
    def first_hw(self) -> tuple[int, int]: ...

    @property
    def notes(self) -> list[str]: ...

    @property
    def absence(self) -> Absence: ...

    @property
    def damage(self) -> Damage | None: ...


class SizedSource(Source, Protocol):
    """A source that knows the size of its upright frames beforehand."""

    @property
    def size_hw(self) -> tuple[int, int]: ...


def open_source(stack: ExitStack, request: LiveRequest) -> LiveSource:
    """The source asked for, closed with `stack`. Raises InputError."""
    if request.source == "synthetic":
        return AlwaysThere(_synthetic(request, live=True), [])
    if request.is_url:
        source = _stream(request)
    elif request.is_pipe:
        source = _pipe(request)
    elif request.is_screen:
        source = _screen(request)
    elif _is_file(request.source):
        notes, live = _own_rate(request, request.source), not request.is_recorded
        return AlwaysThere(_video(stack, request), notes, live)
    else:
        source = _camera(request)
    stack.callback(source.close)
    return source


def _stream(request: LiveRequest) -> Reconnecting:
    from .network_in import StreamInput

    name = without_secrets(request.source)
    return Reconnecting(name, lambda: StreamInput(request.source), notes=_own_rate(request, name))


def _pipe(request: LiveRequest) -> Reconnecting:
    from .piped import START_S, PipeInput, RawForm, check_stdin

    check_stdin()
    form = RawForm.parse(request.source)
    # A recording of a pipe loses nothing: the program that fills it waits. To be seen, it has to be in time.
    live = not request.is_recorded
    return Reconnecting(
        "stdin", lambda: PipeInput(form, live), live=live, notes=_own_rate(request, "stdin"), start_s=START_S
    )  # fmt: skip


def _screen(request: LiveRequest) -> Reconnecting:
    from .screen import Region, ScreenInput

    region = Region.parse(request.source)
    return Reconnecting(request.source, lambda: ScreenInput(region, request.rate or DEFAULT_RATE))


def _camera(request: LiveRequest) -> Reconnecting:
    from .camera import CameraInput
    from .camera_search import again, find_cameras, pick

    camera = pick(request.source, find_cameras())
    return Reconnecting(
        str(camera), lambda: CameraInput(again(camera, find_cameras()), request.size_hw, request.rate), own_size=True
    )


def _own_rate(request: LiveRequest, name: str) -> list[str]:
    return [] if request.rate is None else [f"--fps is for cameras, screens and synthetic; {name} keeps its own rate"]


def _is_file(source: str) -> bool:
    from .camera_search import camera_number

    with paths_refused_in_words():
        return camera_number(source) is None and bool(source) and Path(source).exists()


def open_bench_source(stack: ExitStack, request: LiveRequest) -> SizedSource:
    """The same for a bench, which takes every frame as fast as it comes. Raises InputError for what is live."""
    if request.source == "synthetic":
        return _synthetic(replace(request, size_hw=request.size_hw or BENCH_SIZE_HW), live=False)
    if not request.is_url and not _is_file(request.source):
        raise InputError(
            f"--source {request.source}: no such file; bench measures files and synthetic pictures, because a camera, "
            "a pipe or a screen would only show its own rate"
        )
    return _video(stack, request)


class AlwaysThere:
    """A source that comes to an end and is never away: test pictures, or a file played at the pace of a camera.

    live: what comes too late is dropped, as a camera's would be; else the file waits, and all its frames come.
    """

    own_size, absence = False, Absence()

    def __init__(self, source: VideoSource | SyntheticSource, notes: list[str], live: bool = True) -> None:
        self._source, self._notes, self.live = source, notes, live
        self.first_hw = source.size_hw
        for note in notes:
            say(note)

    @property
    def for_card(self) -> bool:
        """As of `GivesPlanes`; test pictures are RGB."""
        return isinstance(self._source, GivesPlanes) and self._source.for_card

    @for_card.setter
    def for_card(self, wanted: bool) -> None:
        for_card(self._source, wanted)

    def frames(self) -> Iterator[Frame]:
        frames = self._source.frames()
        return frames if self._source.live else pace(frames)

    @property
    def notes(self) -> list[str]:
        return [*self._notes, *self._source.notes]

    @property
    def damage(self) -> Damage | None:
        return self._source.damage if isinstance(self._source, Telling) else None


def _synthetic(request: LiveRequest, live: bool) -> SyntheticSource:
    rate = Fraction(request.rate or DEFAULT_RATE).limit_denominator(1001)
    return SyntheticSource(request.size_hw or DEFAULT_SIZE_HW, rate, live=live, frames=request.frames)


def _video(stack: ExitStack, request: LiveRequest) -> VideoSource:
    from .video_in import VideoSource

    return stack.enter_context(VideoSource(request.source))
