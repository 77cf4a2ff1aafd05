"""`make gpu`'s measuring: everything but the device itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.gpu import __main__ as program
from pullfocus.benchmarks.gpu.card import KernelUse, NvidiaCard, uses_of
from pullfocus.benchmarks.gpu.inputs import depths, how_many, pictures
from pullfocus.benchmarks.gpu.measuring import measure_rows
from pullfocus.benchmarks.gpu.net import EAGER
from pullfocus.benchmarks.gpu.result import Finished, place_of
from pullfocus.benchmarks.gpu.rows import Bench, Row, Sizes, Target
from pullfocus.benchmarks.gpu.timing import Lengths, Measured, timed
from pullfocus.kernels.errors import EngineError
from rich.console import Console

from .cuda_shim.launcher import COMPILER
from .fake_card import FakeCard

SMALL = Sizes((72, 128), (80, 144), (64, 96), 1 << 16)


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Bench:
    if COMPILER is None:
        pytest.skip("g++ is not here: it compiles the CUDA kernels for the CPU")
    return Bench(FakeCard(request.config.cache.mkdir("cuda_shim")), Lengths(3, 1), SMALL)


@pytest.mark.usefixtures("one_thread")
def test_every_row_runs_and_is_written(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "deeper" / "card.json"
    assert program.run(bench, place, program.ROWS, 600.0, Console(width=200)) == 0
    facts = json.loads(place.read_text())
    rows = {row["name"]: row for row in facts["rows"]}
    assert facts["is_whole"]
    assert len(rows) == len(program.ROWS)
    ran = {name for name, row in rows.items() if "cannot" not in row}
    assert rows.keys() - ran == {"ResNet-18 256x320, TensorRT"}
    assert "no NVIDIA driver" in rows["ResNet-18 256x320, TensorRT"]["cannot"]
    whole = rows["depth + layers + refocus, on the card, 1080p"]
    assert whole["launches"] > 20
    ran_there = {use["name"] for use in whole["kernels"]}
    assert {"rgb_of_yuv", "compose", "yuv_of_rgb"} <= ran_there, ran_there
    assert whole["size"] == "128x72"
    assert whole["peak_device_mb"] > 0.0
    refocus = rows["layered refocus, 1080p"]
    assert refocus["floor_ms"] == pytest.approx(10 * 72 * 128 / facts["copy_gb_s"] / 1e6, rel=0.1, abs=1e-4)
    assert rows["ResNet-18 256x320, torch"]["beside"][EAGER] > 0.0
    assert "holds it up" in rows["1080p film through pullfocus video"]["notes"][0]
    told = capsys.readouterr().out
    assert "ResNet-18 256x320, TensorRT: not run: EngineError: no NVIDIA driver" in told
    assert "NOT MET" in told or "met" in told


def row(name: str, ms: float | BaseException, target: Target | None = None) -> Row:
    def measure(_bench: Bench) -> Measured:
        if isinstance(ms, BaseException):
            raise ms
        return Measured(np.full(20, ms), "2x1", bytes_moved=1000)

    return Row(name, target, measure)


def test_a_stopped_run_keeps_its_finished_rows(bench: Bench, tmp_path: Path) -> None:
    rows = [row("copy", 1.0), row("first", 2.0, Target(3.0)), row("second", KeyboardInterrupt()), row("third", 1.0)]
    place = tmp_path / "card.json"
    assert program.run(bench, place, rows, 60.0, Console(width=200)) == 130
    facts = json.loads(place.read_text())
    assert [each["name"] for each in facts["rows"]] == ["copy", "first"]
    assert not facts["is_whole"]


def test_what_fails_is_named_and_the_rest_is_measured(bench: Bench) -> None:
    times = iter([0.0, 0.0, 1.0, 2.0, 50.0])
    rows = [row("copy", 1.0), row("broken", RuntimeError("CUDA error: misaligned\nadvice")), row("good", 2.0),
            row("late", 1.0)]  # fmt: skip
    done = measure_rows(bench, rows, 10.0, lambda _done, _bandwidth: None, lambda: next(times))
    assert [each.cannot for each in done] == [
        "", "RuntimeError: CUDA error: misaligned", "", "not begun: the 10 s of the run were over"
    ]  # fmt: skip
    assert done[2].floor_ms == pytest.approx(1.0)  # as many bytes as the copy moves


@pytest.mark.parametrize(
    ("p50", "p95", "met"), [(1.0, 2.0, True), (1.6, 1.9, False), (1.4, 2.1, False), (1.5, None, True)]
)
def test_a_target_is_met_by_both_percentiles(p50: float, p95: float | None, met: bool) -> None:
    series = np.full(100, p50)
    series[90:] = p50 if p95 is None else p95
    assert Finished("row", Target(1.5, 2.0), Measured(series, "1x1")).met is met


def test_time_is_told_frame_by_frame(bench: Bench) -> None:
    seen = list[int]()
    series_ms, wall_ms = timed(bench.card, seen.append, Lengths(5, 2))
    assert seen == list(range(7))
    assert series_ms.shape == (5,)
    assert (series_ms >= 0.0).all()
    assert wall_ms > 0.0


def test_inputs_fill_the_cache_more_than_once_and_differ() -> None:
    assert how_many(3_000_000, 50 << 20) == 35
    assert (how_many(1 << 30, 50 << 20), how_many(10, 50 << 20)) == (4, 256)
    first, second = pictures((40, 60), 2)
    assert np.abs(first.astype(int) - second).mean() > 1.0
    near, _ = depths((40, 60), 2)
    assert near.dtype == np.float32
    assert 0.0 <= near.min() < 0.2 < 0.8 < near.max() <= 1.0


def test_launches_are_those_of_the_device() -> None:
    from torch._C._autograd import DeviceType
    from torch.autograd.profiler_util import FunctionEvent

    def event(name: str, where: DeviceType, us: float) -> FunctionEvent:
        return FunctionEvent(0, name, 0, 5.0, 5.0 + us, device_type=where)

    cuda = DeviceType.CUDA
    events = [event("compose", cuda, 30.0), event("compose", cuda, 10.0), event("pull", cuda, 50.0),
              event("cudaLaunchKernel", DeviceType.CPU, 99.0)]  # fmt: skip
    assert uses_of(events, 2) == [KernelUse("pull", 0.5, 25.0), KernelUse("compose", 1.0, 20.0)]


def test_without_a_gpu_it_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match="can only be taken on one"):
        NvidiaCard()
    assert program.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_results_are_named_after_the_gpu() -> None:
    assert place_of("NVIDIA GeForce RTX 4090").name == "nvidia_geforce_rtx_4090.json"
