"""What a depth engine is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, TypeAlias

from ..kernels.api import InverseDepth, Picture

Say: TypeAlias = Callable[[str], None]  # is told, in one line, what the user should know of the choice of an engine


def to_stderr(line: str) -> None:
    """A line for people, away from what a program may read on stdout."""
    print(f"note: {' '.join(line.split())}", file=sys.stderr, flush=True)


def complain(message: str) -> None:
    """What ends the program, in one line on stderr."""
    print(f"pullfocus: {' '.join(message.split())}", file=sys.stderr)


class Engine(Protocol):
    """Estimates inverse depth. Not thread-safe: one thread calls `infer`."""

    @property
    def name(self) -> str:
        """As in `--engine`."""
        ...

    @property
    def detail(self) -> str:
        """Runtime, precision and device in a few words, for reports."""
        ...

    def infer(self, picture: Picture) -> InverseDepth:
        """Inverse depth of an `h w 3` uint8 RGB picture: `h' w'` float32 in [0, 1] at the engine's own size."""
        ...


def label(engine: Engine) -> str:
    """Name and detail as reports and pictures show them."""
    return f"{engine.name} ({engine.detail})"
