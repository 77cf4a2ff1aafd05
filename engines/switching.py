"""One engine to the outside; inside, the best that works at the moment, changed between two frames only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..kernels.api import InverseDepth, Picture
from ..kernels.errors import EngineError
from .api import Engine, Say, label
from .build_process import Job

Prepare: TypeAlias = Callable[[tuple[int, int]], Job | None]
MakeEngine: TypeAlias = Callable[[], Engine]


class SwitchingEngine:
    """`better`, once it is prepared for a picture's size; another while it is not, or when it fails.

    Live, another engine runs while `better` is built. For files the build is waited for, so that all frames come from
    the same engine, and one that fails after it has given depth is an error.
    """

    def __init__(
        self,
        better: Engine,
        say: Say,
        *,
        prepare: Prepare = lambda _picture_hw: None,
        meanwhile: MakeEngine | None = None,
        otherwise: MakeEngine | None = None,
        live: bool = False,
    ) -> None:
        """prepare: as of `CompiledEngine`; None of it means ready.

        meanwhile: makes what runs while `better` is built; None: wait. otherwise: makes what takes over when it fails;
        None: `better` was demanded, so its failure is an error.
        """
        self._better, self._say, self._prepare, self._live = better, say, prepare, live
        self._make_meanwhile, self._make_other = meanwhile, otherwise
        self._meanwhile: Engine | None = None
        self._other: Engine | None = None  # has taken over for good
        self._has_answered = False

    @property
    def name(self) -> str:
        return self._now.name

    @property
    def detail(self) -> str:
        return self._now.detail

    @property
    def _now(self) -> Engine:
        return self._other or self._meanwhile or self._better

    def settle(self, picture_hw: tuple[int, int]) -> None:
        """Before a film: wait here for what pictures of this size need.

        Raises EngineError where nothing else may take over.
        """
        self._has_answered = False
        try:
            if self._other is None:
                self._wait(picture_hw)
        except EngineError as error:
            self._hand_over(error)
        if isinstance(self._other, SwitchingEngine):
            self._other.settle(picture_hw)

    def infer(self, picture: Picture) -> InverseDepth:
        """Raises EngineError."""
        if self._other is None:
            try:
                return self._infer(picture)
            except EngineError as error:
                self._hand_over(error)
        assert self._other is not None
        return self._other.infer(picture)

    def _infer(self, picture: Picture) -> InverseDepth:
        size_hw = (picture.shape[0], picture.shape[1])
        if self._make_meanwhile is None:
            self._wait(size_hw)
        elif self._prepare(size_hw) is not None:
            if self._meanwhile is None:
                self._meanwhile = self._make_meanwhile()
                self._say(f"{label(self._meanwhile)} runs while {self._better.name} is built")
            return self._meanwhile.infer(picture)
        if self._meanwhile is not None:
            self._meanwhile = None  # and its GPU memory
            self._say(f"{label(self._better)} is ready and has taken over")
        depth = self._better.infer(picture)
        self._has_answered = True
        return depth

    def _wait(self, picture_hw: tuple[int, int]) -> None:
        while (job := self._prepare(picture_hw)) is not None:
            job.wait()

    def _hand_over(self, error: EngineError) -> None:
        """Another takes over. Raises EngineError where none may."""
        if self._make_other is None:
            raise error
        if self._has_answered and not self._live:
            raise EngineError(f"{error} (in the middle of a file, so that no other engine went on)") from error
        self._meanwhile = None  # and its GPU memory
        self._other = self._make_other()
        self._say(f"{error}; {label(self._other)} takes over")
