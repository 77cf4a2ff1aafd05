"""`pullfocus batch`: many films one after another; what is done is skipped, what fails does not stop the rest."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from ..engines.api import Engine
from ..engines.atomic import make_folder, write_text
from ..engines.build import build
from ..engines.environment import environment
from ..kernels.errors import InputError, PullfocusError
from .batch_plan import Task
from .config import Settings
from .damage import Damage
from .films import check_wish
from .focus import FocusPuller
from .video_job import refocus_video

State = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one film. reason: why it failed, in one line. damage: what was broken in it."""

    source: str
    target: str
    state: State
    reason: str = ""
    seconds: float = 0.0
    frames: int = 0
    engine: str = ""
    notes: list[str] = field(default_factory=list[str])
    damage: Damage = field(default_factory=Damage)

    @classmethod
    def of(cls, task: Task, state: State, **facts: Any) -> Outcome:
        return cls(str(task.source), str(task.target), state, **facts)


@dataclass(slots=True)
class Batch:
    """What a batch has done until now; complete when `total` films have an outcome."""

    total: int
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome, and say it in a line."""
        self.outcomes.append(outcome)
        _say(outcome, f"[{len(self.outcomes)}/{self.total}] {outcome.source}")

    def count(self, state: State) -> int:
        return sum(outcome.state == state for outcome in self.outcomes)

    def finish(self, json_path: Path | None) -> None:
        """Show the summary, and write the report. Raises OutputError."""
        Console().print(self.table())
        if json_path is not None:
            self.write(json_path)

    def table(self) -> Table:
        """How many films were done, skipped, failed and not begun; and each that failed, with the reason."""
        failed = [outcome for outcome in self.outcomes if outcome.state == "failed"]
        frames = sum(outcome.frames for outcome in self.outcomes)
        table = Table("", "films", "", box=None, show_header=False)
        table.add_row("done", str(self.count("done")), f"{frames} frames")
        if self.count("skipped"):
            table.add_row("skipped", str(self.count("skipped")), "their results exist; --overwrite does them again")
        if len(self.outcomes) < self.total:
            table.add_row("not done", str(self.total - len(self.outcomes)), "the same command goes on")
        table.add_row("failed", str(len(failed)), "", style="red" if failed else None)
        for outcome in failed:
            table.add_row("", "", f"{outcome.source}: {outcome.reason}")
        return table

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all. Raises OutputError."""
        facts: dict[str, Any] = {"total": self.total}
        facts |= {state: self.count(state) for state in ("done", "skipped", "failed")}
        facts |= {"films": [asdict(outcome) for outcome in self.outcomes], "environment": environment()}
        write_text(path, json.dumps(facts, indent=1) + "\n")


def _say(outcome: Outcome, place: str) -> None:
    """One line as soon as it is known what became of a film; failures on stderr."""
    match outcome.state:
        case "done":
            print(f"{place}: wrote {outcome.target}, {outcome.frames} frames in {outcome.seconds:.1f} s", flush=True)
        case "skipped":
            print(f"{place}: skipped, {outcome.target} exists", flush=True)
        case "failed":
            print(f"{place}: {outcome.reason}", file=sys.stderr, flush=True)
    for note in outcome.notes:
        print(f"note: {note}", flush=True)


def is_done(task: Task, overwrite: bool) -> bool:
    """A result appears under its name only when it is complete, so what is there is done."""
    return task.target.is_file() and not overwrite


def check_once(tasks: list[Task], settings: Settings) -> None:
    """What would fail for every film fails here, before the first. Raises InputError."""
    FocusPuller(settings)  # reads the model of faces
    refused = list[InputError]()
    for task in tasks:
        try:
            check_wish(task.target, settings.encoding)
        except InputError as error:
            refused.append(error)
    if len(refused) == len(tasks):
        raise refused[0]


def run_here(tasks: list[Task], settings: Settings, overwrite: bool, add: Callable[[Outcome], None]) -> None:
    """Do all films in this process, one after another, with one engine. Raises EngineError for that."""
    engine: Engine | None = None
    for number, task in enumerate(tasks, 1):
        if is_done(task, overwrite):
            add(Outcome.of(task, "skipped"))
            continue
        engine = engine or build(settings.engine)
        add(attempt(task, settings, overwrite, engine, title=f"[{number}/{len(tasks)}] {task.source.name}"))


def attempt(task: Task, settings: Settings, overwrite: bool, engine: Engine, **more: Any) -> Outcome:
    """Do one film; an error becomes its outcome, so that the others go on. more: what `refocus_video` is also told."""
    started_s = monotonic()
    try:
        make_folder(task.target.parent)
        # With what an interrupted run has left, if it has left anything.
        report = refocus_video(
            str(task.source), task.target, settings, overwrite=overwrite, resume=not overwrite, engine=engine, **more
        )
    except Exception as error:
        return failure(task, error, monotonic() - started_s)
    facts = {"frames": report.frames, "engine": report.engine, "notes": report.notes, "damage": report.damage}
    return Outcome.of(task, "done", seconds=monotonic() - started_s, **facts)


def failure(task: Task, error: Exception, seconds: float = 0.0) -> Outcome:
    """An error as the outcome of its film."""
    expected = isinstance(error, PullfocusError)
    text = str(error) if expected else f"unexpected {type(error).__name__}: {error}"
    reason = " ".join(text.split()).removeprefix(f"{task.source}: ")  # the film is named beside it
    return Outcome.of(task, "failed", reason=reason, seconds=seconds)
