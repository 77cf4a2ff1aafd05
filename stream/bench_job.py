"""The measuring of `pullfocus bench`: every frame through all stages, and what each of them took."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic, perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from ..engines.build import build
from ..engines.gpu_time import GpuTimed, is_timed
from .adjusted import Adjusted
from .config import Settings
from .focus import FocusPuller
from .frame import for_card
from .live_request import LiveRequest
from .live_sources import open_bench_source
from .pipeline import run, step_names
from .prepare import prepared
from .report import Meter, Report
from .sinks import NullSink

TRIALS = 2000  # of the measuring itself


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Series:
    """What was recorded of each of n frames, in their order: float64, seconds.

    latency_s: capture to hand-over. handed_s: the clock at the hand-over. cpu_s: CPU time of the process, user + system
    of all threads, up to it. stages_s: wall time in each step. gpu_s: of each picture that the net was asked for, the
    time between its first and its last work on the GPU; None without a GPU.
    """

    latency_s: NDArray[np.float64]
    handed_s: NDArray[np.float64]
    cpu_s: NDArray[np.float64]
    stages_s: dict[str, NDArray[np.float64]]
    gpu_s: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.latency_s), len(self.handed_s), len(self.cpu_s), *map(len, self.stages_s.values())}
        if len(lengths) != 1:
            raise ValueError(f"series of {sorted(lengths)} frames, expected one length")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BenchRun:
    """A finished run. size_hw: of its frames. measuring_s: what recording a frame takes, measured beforehand."""

    report: Report
    series: Series
    size_hw: tuple[int, int]
    measuring_s: float


def run_bench(request: LiveRequest, settings: Settings) -> BenchRun:
    """As fast as it goes, every frame, into nothing. Compiling the net for the frames' size is not counted.

    Raises InputError, EngineError, CheckpointError.
    """
    puller, handed_s, cpu_s = FocusPuller(settings), list[float](), list[float]()
    with ExitStack() as stack:
        source = open_bench_source(stack, request)
        size_hw = request.size_hw or source.size_hw
        adjusted = Adjusted(source, size_hw, lambda: request.mirror, request.frames)
        engine = build(settings.engine)
        timed = GpuTimed(engine) if is_timed(engine) else None
        parts = stack.enter_context(prepared(settings, warm_up_hw=size_hw, engine=timed or engine))
        for_card(source, parts.card is not None)
        if timed is not None:
            timed.durations_s.clear()  # of the warm-up
        stages = parts.stages(settings, puller)
        measuring_s = _measuring_s(step_names(stages))
        meter = Meter(step_names(stages), keep=None)

        def on_frame(_frames: int) -> None:
            handed_s.append(monotonic())
            cpu_s.append(process_time())

        # Channels of one: latency holds one wait for the slowest stage at each end, not the length of long queues.
        report = run(
            adjusted, stages, NullSink(), engine=parts.engine, capacity=1, on_frame=on_frame, meter=meter
        )  # fmt: skip
    return BenchRun(report, _series(meter, handed_s, cpu_s, timed), size_hw, measuring_s)


def _series(meter: Meter, handed_s: Sequence[float], cpu_s: Sequence[float], timed: GpuTimed | None) -> Series:
    return Series(
        np.array(meter.latencies_s),
        np.array(handed_s),
        np.array(cpu_s),
        {name: np.array(durations_s) for name, durations_s in meter.durations_s.items()},
        None if timed is None else np.array(timed.durations_s),
    )


def _measuring_s(steps: list[str]) -> float:
    """What the clocks and lists cost a frame: the same calls as in a run, for nothing."""
    meter, handed_s, cpu_s = Meter(steps, keep=None), list[float](), list[float]()
    inner = [meter.durations_s[step].append for step in steps[:-1]]
    started_s = perf_counter()
    for _ in range(TRIALS):
        for record in inner:
            before_s = monotonic()
            record(monotonic() - before_s)
        before_s = monotonic()
        meter.hand_over(before_s, before_s)
        handed_s.append(monotonic())
        cpu_s.append(process_time())
    return (perf_counter() - started_s) / TRIALS
