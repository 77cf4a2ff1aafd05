"""Rounds of all measurements, part after part, each in processes of its own; what is disturbed is so in one round."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from ...engines.api import to_stderr
from ...kernels.errors import EngineError
from ..latency.child import FAILED
from ..latency.machine_state import surroundings
from ..latency.measure import run_with_input
from ..machine import describe_machine
from .case import Case, Plan
from .floors import NetFacts
from .gpu import missing
from .probe import STAGES, Cost
from .rates import Rates
from .record import CaseCosts, GpuCosts, Record
from .streams import Streams, Together

COMMAND = (sys.executable, "-P", "-m", f"{__package__}.child")  # -P: the folder at hand must not shadow packages
STREAM_THREADS = 1  # of each library in each of several streams


class BrokenOffError(Exception):
    """It ended early, and `why` says so. record: the complete rounds before."""

    def __init__(self, record: Record, why: BaseException) -> None:
        super().__init__()
        self.record, self.why = record, why


@dataclass(slots=True)
class Round:
    """What one round found. gpu: as `gpu.measure_gpu_here` tells it, or why there is nothing."""

    costs: dict[Case, dict[str, Cost]] = field(default_factory=dict[Case, dict[str, Cost]])
    nets: dict[str, NetFacts] = field(default_factory=dict[str, NetFacts])
    rates: list[Rates] = field(default_factory=list[Rates])
    streams: list[Together] = field(default_factory=list[Together])
    gpu: dict[str, Any] | str = ""
    engine: str = ""
    others: float = 0.0


def measure(plan: Plan) -> Record:
    """All rounds. Raises EngineError; BrokenOffError where at least one round was complete."""
    rounds, started_s, no_gpu = list[Round](), monotonic(), missing()
    if no_gpu:
        to_stderr(f"no figures for a GPU: {no_gpu}")
    for number in range(plan.rounds):
        to_stderr(f"round {number + 1} of {plan.rounds}, {monotonic() - started_s:.0f} s so far")
        try:
            rounds.append(_round(plan, number, no_gpu))
        except (EngineError, KeyboardInterrupt) as error:
            if not rounds:
                raise
            raise BrokenOffError(joined(plan, rounds, monotonic() - started_s), error) from error
    return joined(plan, rounds, monotonic() - started_s)


def _round(plan: Plan, number: int, no_gpu: str) -> Round:
    found, cases = Round(gpu=no_gpu), plan.cases()
    turn = number * len(cases) // plan.rounds  # no case is always the first, on a cold processor
    for threads in sorted({1, max(plan.threads)}):
        task = {"what": "rates", "threads": threads, "copy_mb": plan.copy_mb, "matrix": plan.matrix}
        answer = run_part(task, found)
        found.rates.append(Rates(**answer))
    for group in ([*cases[turn:], *cases[:turn]], *map(plan.threaded, plan.threads)):
        run_cases(plan, group, found)
    found.streams = _streams(plan)
    if not no_gpu:
        found.gpu = _gpu(plan, cases, found)
    return found


def run_cases(plan: Plan, cases: Sequence[Case], found: Round) -> None:
    """Measure cases of one number of threads, and add them to `found`. Raises EngineError."""
    answer = run_part(_task("cases", plan, cases), found)
    for case, stages in zip(cases, answer["costs"], strict=True):
        found.costs[case] = {stage: Cost(**cost) for stage, cost in stages.items()}
    nets = {quality: NetFacts(**(net | {"size_hw": tuple(net["size_hw"])})) for quality, net in answer["nets"].items()}
    found.nets, found.engine = nets, answer["engine"]


def _streams(plan: Plan) -> list[Together]:
    case = replace(plan.base, threads=STREAM_THREADS)
    with Streams(case, max(plan.streams)) as streams:
        windows = [streams.run(count, plan.seconds) for count in plan.streams]
        fullest = max(windows, key=lambda window: window.fps)
        loaded = [streams.run(fullest.streams, plan.seconds, share, fullest.fps) for share in plan.loads]
    return windows + loaded


def _gpu(plan: Plan, cases: Sequence[Case], found: Round) -> dict[str, Any] | str:
    """A GPU that fails leaves the processor's figures as they are."""
    try:
        return run_part(_task("gpu", plan, cases), found)
    except EngineError as error:
        to_stderr(f"no figures for the GPU: {error}")
        return str(error)


def _task(what: str, plan: Plan, cases: Sequence[Case]) -> dict[str, Any]:
    return {
        "what": what,
        "cases": [case.facts() for case in cases],
        "frames": plan.frames,
        "warm_up": plan.warm_up,
    }


def run_part(task: dict[str, Any], found: Round, command: Sequence[str] = COMMAND) -> dict[str, Any]:
    """A child's answer, without what it says of the machine, which goes to `found`. Raises EngineError."""
    with TemporaryDirectory(prefix="pullfocus-scaling-") as folder:
        out = Path(folder) / "part.json"
        code = run_with_input([*command, str(out)], json.dumps(task))
        answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    if code == FAILED and "error" in answer:
        raise EngineError(answer["error"])
    if code != 0 or not answer:
        end = f"by signal {-code}; the system may have been short of memory" if code < 0 else f"with exit code {code}"
        raise EngineError(f"the process that measures {task['what']} ended {end}")
    found.others = max(found.others, answer.pop("conditions")["others"] or 0.0)
    return answer


def joined(plan: Plan, rounds: Sequence[Round], seconds: float) -> Record:
    """rounds: at least one."""
    last = rounds[-1]
    cases = [
        CaseCosts(case, {stage: [each.costs[case][stage] for each in rounds] for stage in STAGES})
        for case in last.costs
    ]
    return Record(
        base=plan.base,
        engine=last.engine,
        cases=sorted(cases, key=lambda each: tuple(each.case.facts().values())),
        nets=last.nets,
        rates=[rates for each in rounds for rates in each.rates],
        streams=[window for each in rounds for window in each.streams],
        gpu=_joined_gpu(plan.cases(), rounds),
        others=max(each.others for each in rounds),
        environment=surroundings() | describe_machine(),
        command=f"python -m {__package__} {shlex.join(sys.argv[1:])}".strip(),
        seconds=seconds,
        shape={"rounds": len(rounds), "frames": plan.frames, "warm_up": plan.warm_up, "seconds": plan.seconds},
    )


def _joined_gpu(cases: Sequence[Case], rounds: Sequence[Round]) -> GpuCosts | str:
    found = [each.gpu for each in rounds if isinstance(each.gpu, dict)]
    if not found:
        return str(rounds[-1].gpu)
    stages = [each["stages"] for each in found]
    costs = [
        (case, {part: [each[i][part] for each in stages] for part in stages[0][i]}) for i, case in enumerate(cases)
    ]
    return GpuCosts(found[0]["name"], [each["rates"] for each in found], costs)
