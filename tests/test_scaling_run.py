"""The measuring of how cost grows, on tiny pictures: real processes, the net, and the CUDA kernels on the CPU."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import pytest
from pullfocus.benchmarks.pictures_720p import panned_photo
from pullfocus.benchmarks.scaling import __main__ as program
from pullfocus.benchmarks.scaling.case import Case, Plan
from pullfocus.benchmarks.scaling.gpu import GPU_STAGES, gpu_rates, measure_gpu
from pullfocus.benchmarks.scaling.probe import FRAME, STAGES, Cost, measure
from pullfocus.benchmarks.scaling.rates import measure_rates
from pullfocus.benchmarks.scaling.rounds import Round, run_cases, run_part
from pullfocus.benchmarks.scaling.stream_child import Ask, Told
from pullfocus.benchmarks.scaling.streams import SETTLE_S, Streams, together
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.errors import EngineError
from pullfocus.training.tool import one_line_errors

from .cuda_shim.launcher import COMPILER, ShimLauncher

SMALL = Case(160, 96)


class ClockEvent:
    """As `torch.cuda.Event`, of the CPU's time."""

    def record(self) -> None:
        self.at_s = perf_counter()

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, end_event: Any) -> float:
        return (end_event.at_s - self.at_s) * 1e3


def test_a_frame_is_the_sum_of_its_stages() -> None:
    found = measure(Case(640, 360), PlaneEngine(), panned_photo(4, (360, 640)), 3)  # one frame: its own median
    assert list(found) == list(STAGES)
    parts = [cost for stage, cost in found.items() if stage != FRAME]
    assert sum(cost.wall_ms for cost in parts) == pytest.approx(found[FRAME].wall_ms, rel=0.05)
    assert found["refocus"].wall_ms > found["net"].wall_ms  # a ramp costs nothing
    assert found["edges"].wall_ms > 0.0
    assert found["temporal"].wall_ms > 0.0
    with pytest.raises(ValueError, match="more than the 3"):
        measure(SMALL, PlaneEngine(), panned_photo(3, (96, 160)), 3)


def test_the_machine_has_rates() -> None:
    found = measure_rates(2, copy_mb=8, matrix=128)
    assert found.copy_gb_s > 0.05
    assert set(found.gmac_s) == {"f32", "bf16", "int8"}
    assert found.array_mb == 8


def test_a_part_of_a_round_in_its_own_process() -> None:
    found, plan = Round(), Plan(frames=1, warm_up=1)
    run_cases(plan, [SMALL, Case(128, 96)], found)
    assert set(found.costs) == {SMALL, Case(128, 96)}
    assert isinstance(found.costs[SMALL]["net"], Cost)
    assert found.costs[SMALL]["net"].cpu_ms > 0.0
    assert found.nets["fast"].macs > 0
    assert "OpenVINO" in found.engine


def test_a_part_that_fails_is_one_line() -> None:
    ends = [sys.executable, "-c", "import sys; sys.exit(3)"]
    with pytest.raises(EngineError, match="that measures rates ended with exit code 3"):
        run_part({"what": "rates"}, Round(), ends)


def test_streams_run_side_by_side() -> None:
    with Streams(Case(160, 96, threads=1), 1) as streams:
        free, slow = streams.run(1, 0.5), streams.run(1, 0.8, share=0.5, capacity_fps=10.0)
    assert 0.0 < slow.fps <= 7.0  # asked for 5 a second, which a short window may cut by one
    assert free.fps > 0.0
    assert free.cpu_ms > 0.0
    assert 0.0 <= slow.dropped < 1.0


def test_a_stream_that_ends_is_one_line() -> None:
    with (
        pytest.raises(EngineError, match="ended with exit code 4"),
        Streams(SMALL, 1, [sys.executable, "-c", "exit(4)"]),
    ):
        pass


def test_only_the_common_window_counts() -> None:
    ask = Ask(100.0, 102.0 + SETTLE_S, None)
    early, late = 100.1, 103.0
    told = [Told([early, 101.0, 102.0], [9.0, 0.1, 0.1], 0, 0.3), Told([101.5, late], [0.3, 9.0], 5, 0.2)]
    found = together(told, ask, None)
    assert found is not None
    assert found.fps == pytest.approx(3 / 2.0)
    assert found.p50_ms == pytest.approx(100.0)
    assert found.dropped == pytest.approx(0.5)
    assert found.cpu_ms == pytest.approx(100.0)
    assert together([Told([], [], 0, 0.0)], ask, None) is None


def test_the_stages_on_a_gpu(request: pytest.FixtureRequest) -> None:
    if COMPILER is None:
        pytest.skip("g++ is not here: it compiles the CUDA kernels for the CPU")
    kernels = CudaKernels(ShimLauncher(request.config.cache.mkdir("cuda_shim")))
    found = measure_gpu(SMALL, PlaneEngine(), kernels, panned_photo(3, (96, 160)), 1, ClockEvent)
    assert set(found) == {*GPU_STAGES, "upload", "download"}
    assert min(found.values()) > 0.0
    assert found[FRAME] >= found["refocus"] + found["edges"]


def test_the_rates_of_a_gpu() -> None:
    found = gpu_rates("cpu", ClockEvent, numbers=1 << 16, side=64)
    assert found.copy_gb_s > 0.0
    assert found.fp16_gmac_s > 0.0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--from", "nothing.json"], "nothing.json: cannot read it"),
        (["--from", "a.json", "--json", "b.json"], "--from and --json"),
        (["--write-doc", "nothing.md"], "nothing.md: cannot read it"),
    ],
)
def test_bad_input_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["scaling", *arguments])
    with pytest.raises(SystemExit) as end, one_line_errors():
        program.main()
    assert end.value.code == 2
    assert why in capsys.readouterr().err
