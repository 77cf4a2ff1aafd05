"""How much less processor time does a refocused 720p frame cost than by the student report's recipe?

    .venv/bin/python -m pullfocus.benchmarks.against_report --clip CLIP --json OUT

CPU time is user + system time of all threads. The recipe is handed a finished full-size depth; ours
runs the net on every frame. Neither decodes or encodes video. The two take turns, frame by frame.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any, get_args

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from ..engines import checkpoint
from ..engines.api import Engine
from ..engines.atomic import write_text
from ..engines.build import EngineRequest
from ..engines.openvino_engine import OpenVinoEngine
from ..kernels.api import InverseDepth, Picture, Quality, load
from ..stream.config import Settings
from ..stream.focus import FocusPuller
from ..stream.frame import Frame, Rendered
from ..stream.parts import Parts
from ..stream.pipeline import Stage
from ..stream.process import settle_in
from ..stream.stages import NetDepth
from ..training.tool import one_line_errors
from . import report_recipe
from .arguments import count
from .machine import describe_machine
from .pictures_720p import SIZE_HW, frames_720p

# On a processor with VNNI, for which the net is in int8: without it the net takes most of the time.
GOAL_RATIO = {"fast": 11.0, "fine": 4.0}
WARM_UP_FRAMES = 3
STAGES = ("depth", "layers", "refocus")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time per frame in milliseconds."""

    median_ms: float
    q1_ms: float
    q3_ms: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> Cost:
        q1, median, q3 = np.percentile(values_ms, (25, 50, 75))
        return cls(float(median), float(q1), float(q3))


@dataclass(frozen=True, slots=True)
class Comparison:
    """ratio: the recipe's median cost ÷ ours. costs: `report`, `ours`, ours by stage, the net's part and the rest."""

    frames: int
    ratio: float
    costs: dict[str, Cost]

    def table(self) -> Table:
        table = Table("CPU ms per frame", "median", "quartiles", box=None)
        for name, cost in self.costs.items():
            table.add_row(name, f"{cost.median_ms:.1f}", f"{cost.q1_ms:.1f}–{cost.q3_ms:.1f}")
        return table


class MeasuredEngine:
    """An engine that adds up the CPU time it takes: what it costs depends on the processor more than all the rest."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.detail = engine.name, engine.detail
        self.spent_ms = 0.0

    def infer(self, picture: Picture) -> InverseDepth:
        inverse_depth, cost_ms = _timed(lambda: self._engine.infer(picture))
        self.spent_ms += cost_ms
        return inverse_depth


def compare(frames: Sequence[Frame], threads: int = 0, quality: Quality = "fast") -> Comparison:
    """Cost of the report's recipe and of ours on the same frames. threads: per library, 0 = its own choice."""
    costs_ms: dict[str, list[float]] = {name: [] for name in ("report", "ours", *STAGES, "net", "rest")}
    with ExitStack() as stack:
        if threads:
            stack.enter_context(threadpool_limits(threads))
            stack.callback(cv2.setNumThreads, cv2.getNumThreads())
            cv2.setNumThreads(threads)
        engine = MeasuredEngine(OpenVinoEngine(checkpoint.locate("resnet18"), quality, threads=threads))
        stages = _our_stages(engine, quality)
        for frame in frames[:WARM_UP_FRAMES]:
            _measure(frame, stages, engine, {name: [] for name in costs_ms})
        for frame in frames:
            _measure(frame, stages, engine, costs_ms)
    costs = {name: Cost.of(values) for name, values in costs_ms.items()}
    return Comparison(len(frames), costs["report"].median_ms / costs["ours"].median_ms, costs)


def _our_stages(engine: Engine, quality: Quality) -> list[Stage]:
    """What `pullfocus video` runs by default on a CPU."""
    settings, kernels = Settings(engine=EngineRequest(quality=quality)), load("cpu")
    return Parts(kernels, NetDepth(engine, kernels, settings), engine.name).stages(settings, FocusPuller(settings))


def _measure(frame: Frame, stages: Sequence[Stage], engine: MeasuredEngine, costs_ms: dict[str, list[float]]) -> None:
    item: Any = frame
    before_ms = engine.spent_ms
    for name, stage in zip(STAGES, stages, strict=True):
        item, cost_ms = _timed(lambda stage=stage, item=item: stage(item))
        costs_ms[name].append(cost_ms)
    costs_ms["ours"].append(sum(costs_ms[name][-1] for name in STAGES))
    costs_ms["net"].append(engine.spent_ms - before_ms)
    costs_ms["rest"].append(costs_ms["ours"][-1] - costs_ms["net"][-1])
    rendered: Rendered = item
    full = load("cpu").resize(rendered.inverse_depth, SIZE_HW)
    costs_ms["report"].append(_timed(lambda: report_recipe.refocus(frame.picture8, full))[1])


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and the CPU time of all threads of this process in milliseconds."""
    started_s = process_time()
    result = work()
    return result, (process_time() - started_s) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clip", type=Path, help="video to take frames of (default: a panned photo)")
    parser.add_argument("--frames", type=count, default=40)
    parser.add_argument("--threads", type=int, default=0, help="threads per library; 0 = its own choice")
    parser.add_argument("--quality", choices=get_args(Quality), default="fast")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    settle_in()  # as the program does
    result = compare(frames_720p(options.clip, options.frames), options.threads, options.quality)
    Console().print(result.table())
    goal = GOAL_RATIO[options.quality]
    print(f"the report's recipe costs {result.ratio:.2f} times ours (goal: {goal:g} or more)")
    if options.json is not None:
        clip = options.clip.name if options.clip else "panned photo"
        asked = {"goal_ratio": goal, "clip": clip, "quality": options.quality}
        facts = asdict(result) | asked | {"environment": describe_machine()}
        write_text(options.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
