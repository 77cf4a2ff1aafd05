"""What a depth engine is."""

from __future__ import annotations

from typing import Protocol

from ..kernels.api import InverseDepth, Picture


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
