"""The steps that make a film of pieces.

A short film is one piece. Of a long one the net is asked in parts, then one pass makes its plan, then its parts are
rendered, and the segments are joined. What is there already from an earlier run is not done again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias

from ..engines.atomic import check_target, make_folder, write_text, written_aside
from .batch import Outcome, is_done
from .batch_plan import Task
from .config import Settings
from .film_parts import FilmIndex
from .film_pieces import ask, begin, do_whole, make_plan, render_part
from .films import check_wish
from .gpu_encoding import software_of
from .job_folder import SEGMENT_FRAMES
from .job_identity import differences, job_identity
from .tracks import film_track
from .video_in import VideoSource

IDENTITY = "job.json"


@dataclass(frozen=True, slots=True)
class Piece:
    """A call of `work` with `arguments`. gpu: it has use for a GPU."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Lengths:
    """In frames. part: the least of a long film's pieces, whole segments. whole: the longest film in one piece.

    parts: how many pieces a film has at most at a time. Each decodes the film from its start, so that it gets the very
    same frames; more of them would cost more than they gain.
    """

    part: int = 4 * SEGMENT_FRAMES
    whole: int = 8 * SEGMENT_FRAMES
    segment: int = SEGMENT_FRAMES
    parts: int = 32

    def part_of(self, frames: int) -> int:
        """The length of a part of a film of so many frames."""
        return self.part * max(1, -(-frames // (self.part * self.parts)))


Steps: TypeAlias = Generator[list[Piece], list[Any], Outcome]  # gives pieces to do at once, is sent what they gave


def steps(task: Task, settings: Settings, overwrite: bool, lengths: Lengths) -> Steps:
    """The pieces of a film, step by step; in the end what became of it. Raises PullfocusError between steps."""
    if is_done(task, overwrite):
        return Outcome.of(task, "skipped")
    started_s = monotonic()
    make_folder(task.target.parent)
    check_target(task.target, overwrite)
    check_wish(task.target, settings.encoding)
    whole = (task, settings, overwrite, lengths.segment)
    (first,) = yield [Piece(begin, (*whole, lengths.whole), gpu=True)]
    # Parts are encoded by several processes, maybe not all of them with a GPU, and must come from one encoder.
    is_one = software_of(settings.encoding) is not None
    if isinstance(first, FilmIndex) and (is_one or not (first.whole and first.frames > lengths.whole)):
        (first,) = yield [Piece(do_whole, whole, gpu=True)]
    if isinstance(first, Outcome):
        return first
    with Parts(task, settings, first, lengths) as parts:
        engines = yield parts.nets()
        yield parts.plan()
        parts.forget_nets()
        yield parts.renders()
        notes = parts.join()
    facts = {"frames": first.frames, "engine": ", ".join(sorted({*engines})), "notes": notes}
    return Outcome.of(task, "done", seconds=monotonic() - started_s, **facts)


class Parts:
    """The files between the steps of a long film, in a hidden folder beside its target.

    As a block: at a clean end the folder goes; else it stays, and the next run of the same job goes on with it.
    """

    def __init__(self, task: Task, settings: Settings, index: FilmIndex, lengths: Lengths) -> None:
        self._task, self._settings, self._index = task, settings, index
        self._location, self._parts = str(task.source), index.parts(lengths.part_of(index.frames))
        self._length = lengths.segment
        self.folder = task.target.with_name(f".{task.target.name}.parts")
        self._plans = {frames: self.folder / f"{frames.start:08d}.npz" for frames in index.parts(lengths.part)}

    def __enter__(self) -> Parts:
        """Raises OutputError."""
        inputs = {
            "input": self._location,
            "face model": self._settings.face_model,
            "model": self._settings.engine.model,
        }
        # How many threads the net has changes nothing.
        settings = replace(self._settings, engine=replace(self._settings.engine, threads=0))
        now = job_identity(inputs, settings, "", {"parts": self._parts, "segment": self._length})
        with suppress(OSError, ValueError):
            if differences(json.loads((self.folder / IDENTITY).read_text(encoding="utf-8")), now):
                shutil.rmtree(self.folder)  # of another job
        make_folder(self.folder)
        write_text(self.folder / IDENTITY, json.dumps(now))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def nets(self) -> list[Piece]:
        """What is still to be asked of the net, in parts."""
        asked, pieces = self._index.asked(self._settings.net_every), list[Piece]()
        for part in self._parts:
            wanted = [number for number in asked if number in part]
            if not self._net(part).is_file() and not self._planned():
                arguments = (self._location, wanted, self._settings.engine, self._net(part))
                pieces.append(Piece(ask, arguments, gpu=True))
        return pieces

    def plan(self) -> list[Piece]:
        """The one pass over the film, if it is still to be made."""
        nets = [self._net(part) for part in self._parts]
        arguments = (self._location, self._settings, nets, self._plans)
        return [] if self._planned() else [Piece(make_plan, arguments, gpu=True)]

    def forget_nets(self) -> None:
        """What they said is as large as the plan, which holds all that is needed of it."""
        for part in self._parts:
            self._net(part).unlink(missing_ok=True)

    def renders(self) -> list[Piece]:
        """What is still to be rendered."""
        pieces = list[Piece]()
        for part in self._parts:
            segments = self._segments(part)
            if not all(path.is_file() for path in segments.values()):
                arguments = (self._location, self._task.target, self._settings, self._plans, segments)
                pieces.append(Piece(render_part, arguments))
        return pieces

    def join(self) -> list[str]:
        """Make the film of its segments; returns what there is to say of it. Raises InputError, OutputError."""
        segments = list(self._segments(range(self._index.frames)).values())
        with VideoSource(self._location) as source:
            track = film_track(self._task.target, source, self._location, self._settings)
            notes = source.notes
        with written_aside(self._task.target) as aside:
            return notes + track.finish(segments, aside)

    def _planned(self) -> bool:
        return all(path.is_file() for path in self._plans.values())

    def _net(self, part: range) -> Path:
        return self.folder / f"{part.start:08d}.npy"

    def _segments(self, part: range) -> dict[range, Path]:
        """By their frames."""
        starts = range(part.start, part.stop, self._length)
        frames = [range(start, min(start + self._length, part.stop)) for start in starts]
        return {each: self.folder / f"{each.start:08d}.video" for each in frames}
