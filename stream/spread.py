"""Many films over many workers: who does what next, and what becomes of each film."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from ..engines.interrupts import Interrupts
from ..kernels.errors import EngineError, PullfocusError
from .batch import Outcome, failure
from .batch_plan import Task
from .config import Settings
from .film_steps import Lengths, Piece, Steps, steps
from .process import settle_in

WAIT_S = 0.2  # how long Ctrl-C may go unanswered


class PieceError(PullfocusError):
    """A piece of a film could not be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a piece gave; reason: why it gave nothing."""

    value: Any = None
    reason: str = ""


class Workers(Protocol):
    """Processes that do pieces."""

    @property
    def room(self) -> int:
        """How many pieces should be under way so that none has to wait for work."""
        ...

    def submit(self, piece: Piece, /) -> Hashable:
        """Give a piece out; the ticket stands for it."""
        ...

    def wait(self, tickets: Collection[Any], timeout_s: float, /) -> list[tuple[Hashable, Answer]]:
        """Those that are done by now, or the first within `timeout_s`."""
        ...

    def cancel(self, tickets: Collection[Any], /) -> None:
        """Their answers are not wanted any more."""
        ...


def do(piece: Piece, ours: str) -> Answer:
    """Do a piece, in whatever process this is; its error becomes an answer. ours: the pullfocus that sends it."""
    try:
        theirs = version("pullfocus")
        if theirs != ours:
            raise EngineError(f"the worker on {socket.gethostname()} has pullfocus {theirs}, expected {ours}")
        _settle()
        return Answer(piece.work(*piece.arguments))
    except PullfocusError as error:
        return Answer(reason=str(error))
    except Exception as error:
        return Answer(reason=f"unexpected {type(error).__name__}: {error}")


@lru_cache(maxsize=1)
def _settle() -> None:
    settle_in()


@dataclass(slots=True, eq=False)
class _Film:
    """A film under way. tickets: of its step's pieces, each with the piece's place; answers: of those that are done."""

    task: Task
    steps: Steps
    tickets: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    answers: list[Any] = field(default_factory=list[Any])


class Spread:
    """Keeps workers busy: films that are under way go before new ones, so that they come to an end."""

    def __init__(
        self, workers: Workers, add: Callable[[Outcome], None], on_piece: Callable[[int], None] | None = None
    ) -> None:
        """add: is told what becomes of each film. on_piece: is told how many pieces are done."""
        self._workers, self._add, self._on_piece = workers, add, on_piece
        self._done = 0
        self._films: dict[Hashable, _Film] = {}  # by ticket

    def run(self, tasks: list[Task], settings: Settings, overwrite: bool, lengths: Lengths) -> None:
        """Do all films. Ctrl-C takes effect between two answers."""
        waiting = deque(tasks)
        try:
            with Interrupts() as interrupts:
                while waiting or self._films:
                    while waiting and len(self._films) < self._workers.room:
                        task = waiting.popleft()
                        film = _Film(task, steps(_absolute(task), settings, overwrite, lengths))
                        self._go_on(film, lambda film=film: next(film.steps))
                    interrupts.check()
                    for ticket, answer in self._workers.wait(list(self._films), WAIT_S) if self._films else ():
                        self._take(ticket, answer)
        finally:
            self._workers.cancel(list(self._films))

    def _take(self, ticket: Hashable, answer: Answer) -> None:
        film = self._films.pop(ticket, None)
        if film is None:
            return  # its film has failed meanwhile
        place = film.tickets.pop(ticket)
        self._done += 1
        if self._on_piece is not None:
            self._on_piece(self._done)
        if answer.reason:
            self._drop(film)
            error = PieceError(answer.reason)
            self._go_on(film, lambda: film.steps.throw(error))
            return
        film.answers[place] = answer.value
        if not film.tickets:
            self._go_on(film, lambda: film.steps.send(film.answers))

    def _drop(self, film: _Film) -> None:
        """Its other pieces are of no use."""
        self._workers.cancel(list(film.tickets))
        for ticket in film.tickets:
            del self._films[ticket]
        film.tickets = {}

    def _go_on(self, film: _Film, step: Callable[[], list[Piece]]) -> None:
        """Take a film's next step, and give its pieces out; a step without any is followed by the next at once."""
        try:
            while not (pieces := step()):
                step = lambda: film.steps.send([])  # noqa: E731
        except StopIteration as end:
            self._add(_named(end.value, film.task))
            return
        except Exception as error:
            self._add(failure(film.task, error))
            return
        film.tickets = {self._workers.submit(piece): place for place, piece in enumerate(pieces)}
        film.answers = [None] * len(pieces)
        self._films |= dict.fromkeys(film.tickets, film)


def _absolute(task: Task) -> Task:
    """For workers whose working folder is another."""
    return Task(task.source.absolute(), task.target.absolute())


def _named(outcome: Outcome, task: Task) -> Outcome:
    """With the names that the user gave."""
    return replace(outcome, source=str(task.source), target=str(task.target))


def everywhere(settings: Settings, threads: int) -> Settings:
    """Settings that mean the same on every machine: paths from the root, one kind of device, so many threads a net."""
    request = settings.engine
    model = str(Path(request.model).absolute()) if Path(request.model).is_file() else request.model
    device = "cpu" if request.device == "auto" else request.device
    face_model = settings.face_model.absolute() if settings.face_model is not None else None
    engine = replace(request, model=model, device=device, threads=threads)
    return replace(settings, engine=engine, face_model=face_model)
