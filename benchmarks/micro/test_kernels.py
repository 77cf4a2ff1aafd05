"""What each kernel costs, on the CPU and on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import cast

import pytest
from pullfocus.benchmarks.micro.inputs import Input, inputs
from pullfocus.benchmarks.micro.jobs import KernelJob, SizeHW, kernel_jobs, size_name
from pullfocus.benchmarks.micro.timing import gpu_kernels, gpu_seconds, measure
from pullfocus.kernels.api import load
from pullfocus.kernels.errors import InputError
from pytest_benchmark.fixture import BenchmarkFixture

ON_GPU = (pytest.mark.gpu, pytest.mark.benchmark(timer=gpu_seconds, disable_gc=True))
ON_CPU = (pytest.mark.benchmark(timer=perf_counter, disable_gc=True),)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    jobs = kernel_jobs(cast(list[SizeHW], metafunc.config.getoption("--picture-size", [])))
    marks = {"cpu": ON_CPU, "cuda": ON_GPU}
    metafunc.parametrize("job", [pytest.param(job, id=job.id, marks=marks[job.device]) for job in jobs])


def test_kernel(benchmark: BenchmarkFixture, job: KernelJob, commit: str, is_gpu_promised: bool) -> None:
    if job.device == "cuda":
        _need_gpu(is_gpu_promised)
    those = inputs(job.size_hw)
    benchmark.group, benchmark.name = job.group, job.name
    benchmark.extra_info.update(_facts(job, those), commit=commit)
    if job.device == "cpu":
        kernel, clock = getattr(load("cpu"), job.case.kernel), perf_counter
        turns = [job.case.arguments(one) for one in those]
    else:
        kernel, clock = getattr(gpu_kernels(), job.case.kernel), gpu_seconds
        turns = [job.case.on_gpu(one, gpu_kernels()) for one in those]
    assert measure(benchmark, kernel, turns, clock) is not None


def _need_gpu(is_promised: bool) -> None:
    try:
        gpu_kernels()
    except InputError as error:
        if is_promised:
            raise
        pytest.skip(str(error))


def _facts(job: KernelJob, those: Sequence[Input]) -> dict[str, object]:
    facts: dict[str, object] = {"size": size_name(job.size_hw), "device": job.device, **job.case.facts}
    if job.case.aperture:
        facts["radius_px"] = job.case.radius_px(those)
    return facts
