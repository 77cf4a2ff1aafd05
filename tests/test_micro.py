"""Every kernel and every engine is benchmarked, each benchmark runs, and a slower one is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args
from xml.etree import ElementTree

import numpy as np
import pytest
from pullfocus.benchmarks.micro import __main__ as micro
from pullfocus.benchmarks.micro import baseline
from pullfocus.benchmarks.micro.comparison import Change, changes, slower
from pullfocus.benchmarks.micro.inputs import FAMILIES, inputs
from pullfocus.benchmarks.micro.jobs import SIZES, EngineJob, KernelJob, engine_jobs, kernel_jobs
from pullfocus.benchmarks.micro.timing import CudaClock
from pullfocus.engines.build import EngineChoice
from pullfocus.engines.finding import find_engines
from pullfocus.kernels.api import Kernels, load
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.errors import InputError

from .cuda_shim.launcher import COMPILER, ShimLauncher

ROOT = Path(__file__).parents[1]
SMALL_HW = (96, 160)
LARGEST_BYTES = 60_000  # of a file in git
JOBS: dict[str, KernelJob | EngineJob] = {job.id: job for job in (*kernel_jobs([SMALL_HW]), *engine_jobs([SMALL_HW]))}
ON_GPU = [job for job in kernel_jobs([SMALL_HW]) if job.device == "cuda"]
KERNELS = {name for name, part in vars(Kernels).items() if callable(part) and not name.startswith("_")}


def run_suite(*options: str) -> subprocess.CompletedProcess[str]:
    """On small pictures, and as if there were no GPU."""
    command = [sys.executable, "-P", "-m", "pytest", "benchmarks/micro", "-q", "--picture-size", "160x96", *options]
    # Nor as a part of this run of tests: pytest-benchmark times nothing where several share the cores.
    here = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PULLFOCUS_REQUIRE_"))}
    without_gpu = {**here, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, cwd=ROOT, env=without_gpu, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of each benchmark, by its id: "" where it has run, else why it was skipped. A fine net is as a fast one."""
    out = tmp_path_factory.mktemp("micro") / "outcomes.xml"
    done = run_suite("--benchmark-disable", f"--junitxml={out}", "-k", "not (test_engine and fine)")
    assert done.returncode == 0, done.stdout
    cases = ElementTree.parse(out).getroot().iter("testcase")  # noqa: S314 - our own file
    return {case.get("name", "").partition("[")[2].rstrip("]"): _why_skipped(case) for case in cases}


def _why_skipped(case: ElementTree.Element) -> str:
    skipped = case.find("skipped")
    return "" if skipped is None else skipped.get("message", "")


def test_every_kernel_is_timed_on_both_devices(outcomes: dict[str, str]) -> None:
    timed = [job for name in outcomes if isinstance(job := JOBS[name], KernelJob)]
    assert {job.case.kernel for job in timed if job.device == "cpu"} == KERNELS
    assert {job.case.kernel for job in timed if job.device == "cuda"} == KERNELS


def test_every_engine_is_timed(outcomes: dict[str, str]) -> None:
    timed = {job.case.name for name in outcomes if isinstance(job := JOBS[name], EngineJob)}
    assert timed == {one.name for one in find_engines()}
    assert timed >= set(get_args(EngineChoice)) - {"auto"}


def test_all_run_that_need_no_gpu_and_the_others_say_why_not(outcomes: dict[str, str]) -> None:
    for name, why in outcomes.items():
        job = JOBS[name]
        device = job.device if isinstance(job, KernelJob) else job.case.device
        if device == "cuda":
            assert any(word in why for word in ("GPU", "not installed", "libcuda", "CuPy cannot be imported")), name
        elif "bf16" not in name:  # not all processors have it
            assert why == "", name


@pytest.mark.parametrize("job", ON_GPU, ids=lambda job: job.id)
def test_cuda_kernels_take_the_arguments(job: KernelJob, request: pytest.FixtureRequest) -> None:
    if COMPILER is None:
        pytest.skip("g++ is not here: it compiles the CUDA kernels for the CPU")
    kernels, one = CudaKernels(ShimLauncher(request.config.cache.mkdir("cuda_shim"))), inputs(SMALL_HW)[0]
    there = getattr(kernels, job.case.kernel)(*job.case.on_gpu(one, kernels))
    here = getattr(load("cpu"), job.case.kernel)(*job.case.arguments(one))
    assert getattr(there, "shape", None) == getattr(here, "shape", None)
    assert type(there) is type(here)


def test_inputs_differ_and_are_always_the_same() -> None:
    first, again = inputs(SMALL_HW), inputs.__wrapped__(SMALL_HW)
    assert len({one.picture.tobytes() for one in first}) == len(FAMILIES)
    for one, same in zip(first, again, strict=True):
        assert np.array_equal(one.picture, same.picture)
        assert np.array_equal(one.depth, same.depth)
        assert one.picture.std() > 10.0
        assert np.ptp(one.depth) > 0.2
        assert np.abs(one.motion.flow).max() > 0.1


def test_the_clock_of_the_gpu_adds_up_steps_and_waits() -> None:
    gpu = PlayedGpu()
    clock = CudaClock(SimpleNamespace(cuda=gpu), nullcontext)
    assert clock() == 0.0
    for work_ms in (4.0, 0.25):
        gpu.asked_ms += work_ms
        before_s = clock.total_s
        assert clock() - before_s == pytest.approx(work_ms / 1e3)
    assert gpu.waits == 3


class PlayedGpu:
    """`cupy.cuda`: an event holds how much work was asked for before it."""

    def __init__(self) -> None:
        self.asked_ms, self.waits = 0.0, 0

    def Event(self) -> Any:  # noqa: N802
        return PlayedEvent(self)

    def get_elapsed_time(self, start: PlayedEvent, end: PlayedEvent) -> float:
        assert start.is_done
        assert end.is_done
        return end.at_ms - start.at_ms


class PlayedEvent:
    def __init__(self, gpu: PlayedGpu) -> None:
        self._gpu, self.at_ms, self.is_done = gpu, 0.0, False

    def record(self) -> None:
        self.at_ms, self.is_done = self._gpu.asked_ms, False

    def synchronize(self) -> None:
        self.is_done = True
        self._gpu.waits += 1


# ---- the baseline


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two benchmarks gave."""
    out = tmp_path_factory.mktemp("run") / "run.json"
    done = run_suite("-k", "(shrink or colour_depth) and cpu", f"--benchmark-json={out}")
    assert done.returncode == 0, done.stdout
    return out


def test_a_result_says_what_was_timed_and_stays_small(measured: Path, tmp_path: Path) -> None:
    run = baseline.read_run(measured)
    by_group = {row["group"]: row for row in run["benchmarks"]}
    assert set(by_group) == {"shrink, 160x96", "colour_depth, 160x96"}
    for row in by_group.values():
        assert row["extra_info"].items() >= {"size": "160x96", "device": "cpu"}.items()
        assert row["extra_info"]["commit"] == run["software"]["commit"]
        assert row["stats"]["rounds"] % len(FAMILIES) == 0
        assert "data" not in row["stats"]
    kept = tmp_path / "kept.json"
    baseline.keep(run, kept)
    assert baseline.read_run(kept) == run
    per_row = max(len(line) for line in kept.read_bytes().splitlines() if b"fullname" in line)
    assert per_row * len([name for name in JOBS if "-cpu-" in name]) * len(SIZES["cpu"]) < LARGEST_BYTES


@pytest.mark.parametrize(("factor", "code"), [(0.001, 1), (1000.0, 0)])
def test_comparing_tells_what_became_slower(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    factor: float, code: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(baseline, "FOLDER", tmp_path)
    before = json.loads(measured.read_text())
    for row in before["benchmarks"]:
        row["stats"]["median"] *= factor
    baseline.keep(before, baseline.path_for(baseline.machine(), "cpu"))
    monkeypatch.setattr(sys, "argv", ["micro", "compare", str(measured)])
    with pytest.raises(SystemExit) as ended:
        micro.main()
    assert ended.value.code == code
    said = capsys.readouterr().out
    assert "test_kernel[shrink-cpu-160x96]" in said
    assert f"2 compared with {baseline.path_for(baseline.machine(), 'cpu').name}" in said
    assert f"{2 * code} slower by more than 15%" in said


@pytest.mark.parametrize(("again", "code"), [(0.001, 0), (10.0, 1)])
def test_what_seems_slower_is_timed_again(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: float, code: int
) -> None:
    monkeypatch.setattr(baseline, "FOLDER", tmp_path)
    before = baseline.read_run(measured)
    baseline.keep(before, baseline.path_for(baseline.machine(), "cpu"))
    slow, same = (row["fullname"] for row in before["benchmarks"])
    asked = list[tuple[str, ...]]()

    def time_them(_device: str, only: Sequence[str] = (), quiet: bool = False) -> dict[str, Any]:
        asked.append(tuple(only))
        factors = {slow: again if only else 10.0, same: 1.0}
        rows = [row for row in before["benchmarks"] if not only or row["fullname"] in only]
        return {"benchmarks": [_times(row, factors[row["fullname"]]) for row in rows]}

    monkeypatch.setattr(micro, "time_them", time_them)
    assert micro.compare("cpu", None, 0.15) == code
    assert asked == [(), (slow,), (slow,)][: 2 + code]


def _times(row: dict[str, Any], factor: float) -> dict[str, Any]:
    return {**row, "stats": {"median": row["stats"]["median"] * factor}}


def test_only_what_is_beyond_the_tolerance_is_slower() -> None:
    found = changes({"a": 1.0, "b": 1.0, "c": 1.0, "gone": 1.0}, {"a": 1.1, "b": 1.2, "c": 0.5, "new": 1.0})
    assert [change.name for change in found] == ["b", "a", "c"]
    assert slower(found, 0.15) == [Change("b", 1.0, 1.2)]


@pytest.mark.parametrize("text", ["", "[]", '{"benchmarks": []}', '{"benchmarks": [{"stats": {}}]}'])
def test_a_file_without_times_is_refused(tmp_path: Path, text: str) -> None:
    broken = tmp_path / "run.json"
    broken.write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        baseline.read_run(broken)


def test_machines_of_one_name_have_files_of_their_own() -> None:
    here = {"cpu": "Intel(R) Xeon(R) Processor", "cpu_model": "6 167", "cores": "2", "gpu": "none"}
    assert baseline.path_for(here, "cpu").name == "intel_xeon_processor_6_167_2_cores.json"
    assert baseline.path_for({**here, "gpu": "NVIDIA H100 (9.0)"}, "cuda").name == "nvidia_h100_9_0.json"
    with pytest.raises(InputError, match="no NVIDIA GPU"):
        baseline.path_for(here, "cuda")
