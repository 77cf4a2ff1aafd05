"""The time that an engine's work takes on the GPU, by CUDA events."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from ..kernels.api import InverseDepth, Picture
from .api import Engine

TIMED = ("torch", "tensorrt")  # they work on PyTorch's current stream; TensorRT for RTX has one of its own


class Event(Protocol):
    """As `torch.cuda.Event`."""

    def record(self) -> None: ...

    def synchronize(self) -> None: ...

    def elapsed_time(self, end_event: Any) -> float:
        """Milliseconds until the other."""
        ...


MakeEvent: TypeAlias = Callable[[], Event]


class GpuTimed:
    """An engine with an event before and one after every picture on PyTorch's current stream.

    durations_s: the time between the two, for each picture: copying in, the net, copying out, and waits between them.
    """

    def __init__(self, engine: Engine, make_event: MakeEvent | None = None) -> None:
        self._engine, self._make = engine, make_event or cuda_event
        self._events: tuple[Event, Event] | None = None
        self.durations_s: list[float] = []

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def detail(self) -> str:
        return self._engine.detail

    def infer(self, picture: Picture) -> InverseDepth:
        if self._events is None:
            self._events = self._make(), self._make()
        before, after = self._events
        before.record()
        depth = self._engine.infer(picture)
        after.record()
        after.synchronize()
        self.durations_s.append(before.elapsed_time(after) / 1e3)
        return depth


def is_timed(engine: Engine) -> bool:
    """Does it work on a GPU, on a stream where events can be recorded?"""
    torch = sys.modules.get("torch")  # such an engine has imported it
    return (
        torch is not None and engine.name in TIMED and not engine.detail.endswith("cpu") and torch.cuda.is_available()
    )


def cuda_event() -> Event:
    """One that keeps its time. Needs PyTorch and a GPU."""
    import torch

    return torch.cuda.Event(enable_timing=True)
