"""What each part of a frame's way costs: the program's own stages, with clocks around what they call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, cast

import numpy as np

from ...engines.api import Engine
from ...kernels.api import InverseDepth, Kernels, Picture, load
from ...stream.focus import FocusPuller
from ...stream.frame import Frame
from ...stream.pipeline import Stage
from ...stream.prepare import Parts
from ...stream.stages import NetDepth
from .case import Case

# Of the depth stage; what it does besides (cuts, range, the 16-bit grid) is "depth, the rest".
PART_OF = {"upsample": "edges", "shrink": "temporal", "motion": "temporal", "carry": "temporal", "fuse": "temporal"}
NET, REST, FRAME = "net", "depth, the rest", "frame"
STAGES = (NET, "temporal", "edges", REST, "layers", "refocus", FRAME)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds. cpu: user + system time of all threads of the process."""

    cpu_ms: float
    wall_ms: float


@dataclass(slots=True)
class Clocks:
    """CPU and wall seconds of one frame, by part."""

    spent_s: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])

    def timed(self, part: str, work: Callable[[], Any]) -> Any:
        """The result of `work`, whose time is added to that of `part`."""
        cpu_s, wall_s = process_time(), perf_counter()
        result = work()
        wall_s, cpu_s = perf_counter() - wall_s, process_time() - cpu_s
        before = self.spent_s.get(part, (0.0, 0.0))
        self.spent_s[part] = before[0] + cpu_s, before[1] + wall_s
        return result


class ClockedEngine:
    """An engine with a clock."""

    def __init__(self, engine: Engine, clocks: Clocks) -> None:
        self._engine, self._clocks = engine, clocks
        self.name, self.detail = engine.name, engine.detail

    def infer(self, picture: Picture) -> InverseDepth:
        return self._clocks.timed(NET, lambda: self._engine.infer(picture))


class ClockedKernels:
    """Kernels with a clock around those that `PART_OF` names."""

    def __init__(self, kernels: Kernels, clocks: Clocks) -> None:
        self._kernels, self._clocks = kernels, clocks

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._kernels, name)
        if name not in PART_OF:
            return function

        def clocked(*arguments: Any, **named: Any) -> Any:
            return self._clocks.timed(PART_OF[name], lambda: function(*arguments, **named))

        return clocked


def measure(case: Case, engine: Engine, frames: Sequence[Frame], warm_up: int) -> dict[str, Cost]:
    """Stage → its median cost over `frames`, one after the other, without the first `warm_up`.

    Raises ValueError where no frame is left.
    """
    if len(frames) <= warm_up:
        raise ValueError(f"got {len(frames)} frames, expected more than the {warm_up} of the warm-up")
    clocks = Clocks()
    stages, found = _stages(case, engine, clocks), defaultdict[str, list[tuple[float, float]]](list)
    for index, frame in enumerate(frames):
        clocks.spent_s.clear()
        _one(frame, stages, clocks)
        if index >= warm_up:
            for stage, spent_s in _by_stage(clocks.spent_s).items():
                found[stage].append(spent_s)
    return {stage: Cost(*(float(ms) for ms in np.median(found[stage], axis=0) * 1e3)) for stage in STAGES}


def _stages(case: Case, engine: Engine, clocks: Clocks) -> list[Stage]:
    """What `pullfocus video` and `live` run on a CPU."""
    settings = case.settings()
    kernels = cast(Kernels, ClockedKernels(load("cpu"), clocks))
    depth = NetDepth(ClockedEngine(engine, clocks), kernels, settings)
    return Parts(kernels, depth, engine.name).stages(settings, FocusPuller(settings))


def _one(frame: Frame, stages: Sequence[Stage], clocks: Clocks) -> None:
    item: Any = frame
    for stage in stages:
        item = clocks.timed(stage.name, lambda stage=stage, item=item: stage(item))


def _by_stage(spent_s: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The depth stage cut into its parts, and the whole frame."""
    spent = {part: np.array(both) for part, both in spent_s.items()}
    parts = {part: spent.get(part, np.zeros(2)) for part in (NET, "temporal", "edges")}
    whole = spent["depth"] + spent["layers"] + spent["refocus"]
    rest = np.maximum(spent["depth"] - sum(parts.values()), 0.0)
    stages = {**parts, REST: rest, "layers": spent["layers"], "refocus": spent["refocus"], FRAME: whole}
    return {name: (float(both[0]), float(both[1])) for name, both in stages.items()}
