"""A film's work in three phases, so that many processes can share it and the frames stay those of one process.

 nets     what the net says of some frames; any part at any time
 plan     one pass over all frames, in order: everything that remembers (depth through time, layers, focus)
 render   the blur of some frames, encoded; any part, once its plan is there

Between them lie files: what the net said, and per part of the film a plan with depth, layers and focus of each frame.
All of them appear whole or not at all, and doing a piece again writes the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from ..engines.api import Engine
from ..engines.atomic import written_aside
from ..kernels.api import InverseDepth, Kernels, Picture, load
from ..kernels.cuda.card import Card
from ..kernels.errors import InputError
from .config import Settings
from .film_parts import FilmPart
from .focus import FocusPuller
from .frame import FocusPlan, Frame, Layered, Sensed
from .parts import net_parts
from .pipeline import Sink, run
from .stages import RefocusStage, with_edges
from .video_in import VideoSource


def ask_net(location: str, wanted: Sequence[int], engine: Engine, path: Path) -> None:
    """Write what the engine says of these frames, `n h w` float32 as .npy. Raises InputError, OutputError."""
    with VideoSource(location) as source, written_aside(path) as aside:
        answers = _Answers(aside, len(wanted))
        run(FilmPart(source, wanted), [_AskStage(engine)], answers)
        answers.finish()


class _AskStage:
    name = "net"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, frame: Frame) -> Sensed:
        return Sensed(frame, self._engine.infer(frame.picture8))


class _Answers:
    """Written one by one: of a long film they would fill the memory."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count
        self._rows: np.memmap[Any, Any] | None = None
        self._written = 0

    def write(self, sensed: Sensed, /) -> bool:
        depth = sensed.inverse_depth
        if self._rows is None:
            self._rows = open_memmap(self._path, "w+", np.float32, (self._count, *depth.shape))
        self._rows[self._written] = depth
        self._written += 1
        return True

    def finish(self) -> None:
        if self._rows is not None:
            self._rows.flush()
        else:
            with self._path.open("wb") as file:
                np.save(file, np.empty((0, 0, 0), np.float32), allow_pickle=False)


class Answered:
    """An engine that gives again, in order, what `ask_net` wrote."""

    name, detail = "answered", "what a net said before"

    def __init__(self, paths: Sequence[Path]) -> None:
        self._answers = _answers_in(paths)

    def infer(self, picture: Picture) -> InverseDepth:
        del picture
        answer = next(self._answers, None)
        if answer is None:
            raise InputError("the net was asked for fewer frames than the film has; it was changed while it was read")
        return answer


def _answers_in(paths: Sequence[Path]) -> Iterator[InverseDepth]:
    for path in paths:
        # One by one: an hour of film has gigabytes of them.
        for answer in np.load(path, mmap_mode="r", allow_pickle=False):
            yield np.array(answer)


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """All that is needed to render some frames but their pictures.

    frames: their numbers. small: inverse depth at the net's size, `n h w` float32. centres: `n k` float64.
    plans: focus, aperture and dead zone, `n 3` float64. cuts: `n` bool.
    """

    frames: range
    small: NDArray[np.float32]
    centres: NDArray[np.float64]
    plans: NDArray[np.float64]
    cuts: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Whole or not at all. Raises OutputError."""
        arrays: dict[str, NDArray[Any]] = {"small": self.small, "centres": self.centres}
        arrays |= {"plans": self.plans, "cuts": self.cuts, "first": np.array(self.frames.start)}
        with written_aside(path) as aside, aside.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Plan:
        with np.load(path, allow_pickle=False) as a:
            first = int(a["first"])
            return cls(range(first, first + len(a["cuts"])), a["small"], a["centres"], a["plans"], a["cuts"])

    def layered(self, frame: Frame, kernels: Kernels) -> Layered:
        """A frame as it left the layers' stage."""
        row = frame.index - self.frames.start
        sensed = with_edges(self.small[row], frame, kernels, bool(self.cuts[row]))
        return Layered(sensed, self.centres[row], FocusPlan(*map(float, self.plans[row])))


def plan_film(
    source: VideoSource,
    settings: Settings,
    answers: Sequence[Path],
    plans: Mapping[range, Path],
    card: Card | None = None,
) -> None:
    """Go through all frames once, with what the net said, and write the plan of each range of frames.

    Raises InputError, OutputError, EngineError.
    """
    parts = net_parts(Answered(answers), settings, card=card)
    source.for_card = card is not None
    sink = _PlanSink(plans)
    run(source, parts.layer_stages(settings, FocusPuller(settings)), sink, capacity=parts.capacity)
    sink.check_end(source.location)


class _PlanSink:
    """Writes a plan as soon as its frames are complete; of these it keeps no pictures."""

    def __init__(self, plans: Mapping[range, Path]) -> None:
        self._plans = plans
        self._ranges = iter(plans)
        self._now = next(self._ranges, None)
        self._rows: list[tuple[Any, ...]] = []  # of the plan's arrays

    def write(self, layered: Layered, /) -> bool:
        sensed, plan = layered.sensed, layered.plan
        lens = (plan.inverse_depth, plan.aperture, plan.dead_zone)
        small = np.array(sensed.small)  # of its own: a card's is in page-locked memory, of which there is little
        self._rows.append((small, layered.centres, lens, sensed.cut))
        if self._now is not None and len(self._rows) == len(self._now):
            Plan(self._now, *map(np.array, zip(*self._rows))).save(self._plans[self._now])
            self._now, self._rows = next(self._ranges, None), []
        return True

    def check_end(self, location: str) -> None:
        if self._now is not None or self._rows:
            raise InputError(f"{location}: has another number of frames now; it was changed while it was read")


def render(source: VideoSource, settings: Settings, plans: Mapping[range, Path], frames: range, sink: Sink) -> None:
    """Render some frames into `sink`. plans: by the frames that they are of. Raises InputError, OutputError."""
    kernels = load("cpu")
    run(FilmPart(source, frames), [_PlannedStage(plans, kernels), RefocusStage(kernels, settings)], sink)


class _PlannedStage:
    name = "plan"

    def __init__(self, plans: Mapping[range, Path], kernels: Kernels) -> None:
        self._plans, self._kernels = plans, kernels
        self._plan: Plan | None = None  # the one of the frames that come now

    def __call__(self, frame: Frame) -> Layered:
        plan = self._plan
        if plan is None or frame.index not in plan.frames:
            frames = next(frames for frames in self._plans if frame.index in frames)
            plan = self._plan = Plan.load(self._plans[frames])
        return plan.layered(frame, self._kernels)
