"""A runtime without a GPU, and a build without a process: for the store, the switch and all that can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pullfocus.engines.api import Engine
from pullfocus.engines.builder import Order, build_into_store
from pullfocus.engines.compiled import CompiledEngine
from pullfocus.engines.gpu import Gpu
from pullfocus.engines.plane import PlaneEngine
from pullfocus.engines.runtime import Net, Tell, facts_of
from pullfocus.engines.store import Store
from pullfocus.engines.switching import MakeEngine, SwitchingEngine
from pullfocus.kernels.api import InverseDepth, Picture, Quality
from pullfocus.kernels.errors import EngineError

GPU = Gpu("NVIDIA Test 1", (8, 9), (13, 0))
GOOD, OFF, NAN = b"good", b"off by 0.1", b"not a number"
OUT_OF_MEMORY = "out of GPU memory; close other programs that use the GPU, or use --device cpu"


@dataclass
class FakeRuntime:
    """Its net is the ramp of `plane`. builds: what the next builds give, the last one for ever.

    fault: is raised by a build. fails_from: after this many pictures a net says that memory is out.
    """

    builds: list[bytes] = field(default_factory=lambda: [GOOD])
    fault: str | None = None
    fails_from: int | None = None
    name: str = "tensorrt"
    detail: str = "a played runtime"
    compiled: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    loaded: list[bytes] = field(default_factory=list[bytes])

    def compile(self, model: Path, size_hw: tuple[int, int], tell: Tell) -> bytes:
        tell("building")
        self.compiled.append(size_hw)
        if self.fault is not None:
            raise EngineError(f"tensorrt: {self.fault}")
        return self.builds.pop(0) if len(self.builds) > 1 else self.builds[0]

    def load(self, data: bytes, size_hw: tuple[int, int]) -> Net:
        if data not in (GOOD, OFF, NAN):
            raise EngineError("tensorrt: it does not take the engine")
        self.loaded.append(data)
        pictures = 0

        def infer(picture: Picture) -> InverseDepth:
            nonlocal pictures
            assert picture.shape == (*size_hw, 3)
            pictures += 1
            if self.fails_from is not None and pictures > self.fails_from:
                raise EngineError(f"tensorrt: {OUT_OF_MEMORY}")
            wrong = {GOOD: 0.0, OFF: 0.1, NAN: np.nan}[data]
            return PlaneEngine("fast").infer(picture) + np.float32(wrong)

        return infer


def plane_reference(_model: Path, quality: Quality) -> Engine:
    return PlaneEngine(quality)


@dataclass
class FakeJob:
    """Builds within the poll that is the last of `polls`."""

    runtime: FakeRuntime
    order: Order
    polls: int

    def poll(self) -> bool:
        self.polls -= 1
        if self.polls > 0:
            return False
        facts = facts_of(self.order.engine, GPU, self.order.model, self.order.net_hw)
        build_into_store(self.order, self.runtime, facts, lambda _stage: None, plane_reference)
        return True

    def wait(self) -> None:
        while not self.poll():
            pass


@dataclass
class FakeBuilds:
    """Starts `FakeJob`s, and remembers them."""

    runtime: FakeRuntime
    polls: int = 3
    started: list[Order] = field(default_factory=list[Order])

    def __call__(self, order: Order, log: Path) -> FakeJob:
        assert log.parent.is_dir()
        self.started.append(order)
        return FakeJob(self.runtime, order, self.polls)


@dataclass
class Slow(PlaneEngine):
    """What runs meanwhile, or instead."""

    name: str = "slow"
    detail: str = "it always works"
    asked: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def infer(self, picture: Picture) -> InverseDepth:
        self.asked += 1
        return super().infer(picture)


@dataclass
class Setting:
    """A compiled engine within a switch, and what was said."""

    place: Path
    runtime: FakeRuntime
    polls: int = 3
    said: list[str] = field(default_factory=list[str])
    slow: Slow = field(default_factory=Slow)

    def __post_init__(self) -> None:
        self.builds = FakeBuilds(self.runtime, self.polls)
        self.place.mkdir(exist_ok=True)
        self.model = self.place / "net.safetensors"
        self.model.write_bytes(b"weights")
        self.store = Store(self.place / "store")

    def engine(self, live: bool, demanded: bool = False) -> SwitchingEngine:
        better = CompiledEngine(self.runtime, GPU, self.model, "fast", self.store, self.builds)
        slow: MakeEngine = lambda: self.slow  # noqa: E731
        return SwitchingEngine(
            better, self.said.append, prepare=better.prepare, live=live,
            meanwhile=slow if live else None, otherwise=None if demanded else slow,
        )  # fmt: skip


def names(lines: Sequence[str], *wanted: str) -> bool:
    """One line each, and each says its word."""
    return len(lines) == len(wanted) and all(word in line and "\n" not in line for line, word in zip(lines, wanted))
