"""The pieces of a film's work: plain functions of paths, to be called in any process, on any machine.

Each writes its files whole or not at all, and may be done twice, also by two processes at once.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..engines.api import Engine, label
from ..engines.atomic import written_aside
from ..engines.build import EngineRequest, build
from .batch import Outcome, attempt
from .batch_plan import Task
from .card_choice import choose_card
from .config import Settings
from .film_parts import FilmIndex, look_through
from .films import open_film
from .frame import Rendered
from .phases import ask_net, plan_film, render
from .segments import SegmentWriter, Track
from .tracks import film_track
from .video_in import VideoSource


def begin(task: Task, settings: Settings, overwrite: bool, segment: int, longest: int) -> Outcome | FilmIndex:
    """Do a short film; of a long one, or one that does not say how long it is, find out what its parts are.

    An animated WebP can be read by nothing but one process, into memory, and is one piece.
    """
    with open_film(str(task.source)) as film:
        frames, has_parts = film.info.frames, isinstance(film, VideoSource)
    if not has_parts or (frames is not None and frames <= longest):
        return do_whole(task, settings, overwrite, segment)
    return look_through(str(task.source))


def do_whole(task: Task, settings: Settings, overwrite: bool, segment: int) -> Outcome:
    """A film as one piece."""
    return attempt(task, settings, overwrite, engine_of(settings.engine), segment_frames=segment)


def ask(location: str, wanted: list[int], request: EngineRequest, path: Path) -> str:
    """What the net says of some frames; returns which net that was."""
    engine = engine_of(request)
    ask_net(location, wanted, engine, path)
    return label(engine)


def make_plan(location: str, settings: Settings, nets: list[Path], plans: dict[range, Path]) -> None:
    """The one pass over a film."""
    with VideoSource(location) as source:
        plan_film(source, settings, nets, plans, choose_card(settings, source.info.upright_hw))


def render_part(
    location: str, target: Path, settings: Settings, plans: dict[range, Path], segments: dict[range, Path]
) -> None:
    """Some segments of a film, in order, from the first that is missing on."""
    missing = [frames for frames, path in segments.items() if not path.is_file()]
    frames = range(missing[0].start, max(each.stop for each in segments))
    with VideoSource(location) as source:
        track = film_track(target, source, location, settings)
        with _SegmentSink(track, segments) as sink:
            render(source, settings, plans, frames, sink)


class _SegmentSink:
    """Frames into the segments that they belong to."""

    def __init__(self, track: Track, segments: dict[range, Path]) -> None:
        self._track = track
        self._paths = {frames.start: path for frames, path in segments.items()}
        self._now = ExitStack()
        self._writer: SegmentWriter | None = None

    def write(self, rendered: Rendered, /) -> bool:
        """Raises OutputError."""
        number = rendered.frame.index
        if number in self._paths:
            self._finish()
            aside = self._now.enter_context(written_aside(self._paths[number]))
            self._writer = SegmentWriter(aside, self._track, number)
        assert self._writer is not None, "a part begins with a segment"
        self._writer.write(rendered)
        return True

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.finish()
        self._writer = None
        self._now.close()

    def __enter__(self) -> _SegmentSink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is None:
            self._finish()
            return
        if self._writer is not None:
            self._writer.abandon()
        self._now.__exit__(kind, error, trace)


@lru_cache(maxsize=1)
def engine_of(request: EngineRequest) -> Engine:
    """One a process, as long as the same is asked for."""
    return build(request)
