"""A process of its own for a part of a round, so that each round lies anew in memory and no part warms up another.

python -P -m pullfocus.benchmarks.scaling.child OUT.json < TASK.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import cv2
from threadpoolctl import threadpool_limits

from ...engines import checkpoint
from ...engines.openvino_engine import OpenVinoEngine
from ...stream.process import settle_in
from ..latency.child import answer_question
from ..latency.machine_state import Reading
from ..pictures_720p import panned_photo
from .case import Case
from .floors import NetFacts
from .net_facts import net_facts
from .probe import Cost, measure
from .rates import measure_rates

MODEL = "resnet18"


def do(task: dict[str, Any]) -> dict[str, Any]:
    """What OUT holds. Raises PullfocusError."""
    before = Reading.now()
    match task["what"]:
        case "rates":
            answer: dict[str, Any] = measure_rates(task["threads"], task["copy_mb"], task["matrix"]).facts()
        case "gpu":
            from .gpu import measure_gpu_here

            answer = measure_gpu_here(_cases(task), task["frames"], task["warm_up"])
        case _:
            answer = _measured(_cases(task), task["frames"], task["warm_up"])
    return answer | {"conditions": asdict(before.until(Reading.now()))}


def _cases(task: dict[str, Any]) -> list[Case]:
    return [Case(**facts) for facts in task["cases"]]


def _measured(cases: Sequence[Case], frames: int, warm_up: int) -> dict[str, Any]:
    """Cases of one number of threads, in the order given. costs: an entry for each."""
    share_threads(cases[0].threads)
    engines, costs, nets = dict[str, OpenVinoEngine](), list[dict[str, Cost]](), dict[str, NetFacts]()
    for size_hw, some in groupby(cases, key=lambda case: case.size_hw):
        pictures = panned_photo(frames + warm_up, size_hw)
        for case in some:
            if case.quality not in engines:
                engines[case.quality] = engine_of(case)
                nets[case.quality] = net_facts(MODEL, size_hw, case.quality, engines[case.quality].detail)
            costs.append(measure(case, engines[case.quality], pictures, warm_up))
    return {
        "costs": [{stage: asdict(cost) for stage, cost in found.items()} for found in costs],
        "nets": {quality: asdict(facts) for quality, facts in nets.items()},
        "engine": next(iter(engines.values())).detail,
    }


def engine_of(case: Case) -> OpenVinoEngine:
    """The program's own on a CPU, with the case's threads. Raises CheckpointError."""
    return OpenVinoEngine(checkpoint.locate(MODEL), case.quality, threads=case.threads)


def share_threads(threads: int) -> None:
    """As the program does, or so many for each library."""
    settle_in()
    if threads:
        cv2.setNumThreads(threads)
        threadpool_limits(threads)


def main() -> int:
    """As `answer_question`."""
    return answer_question(do)


if __name__ == "__main__":
    sys.exit(main())
