"""What a picture's depth costs with each engine: from the picture in main memory to the inverse depth there."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import cast

import pytest
from pullfocus.benchmarks.micro.engine_cases import EngineCase, ready
from pullfocus.benchmarks.micro.inputs import inputs
from pullfocus.benchmarks.micro.jobs import EngineJob, SizeHW, engine_jobs, size_name
from pullfocus.benchmarks.micro.timing import measure
from pullfocus.engines.api import Engine, label
from pullfocus.engines.finding import TORCH_ON_CUDA
from pullfocus.engines.gpu_time import GpuTimed, is_timed
from pullfocus.engines.shape import net_size
from pullfocus.kernels.api import Picture
from pytest_benchmark.fixture import BenchmarkFixture

BUILD_S = 1200  # TensorRT tries many ways to compute each layer

pytestmark = pytest.mark.benchmark(timer=perf_counter, disable_gc=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    jobs = engine_jobs(cast(list[SizeHW], metafunc.config.getoption("--picture-size", [])))
    marks = {"cpu": (), "cuda": (pytest.mark.gpu, pytest.mark.timeout(BUILD_S))}
    metafunc.parametrize("job", [pytest.param(job, id=job.id, marks=marks[job.case.device]) for job in jobs])


def test_engine(benchmark: BenchmarkFixture, job: EngineJob, commit: str, is_gpu_promised: bool) -> None:
    _need(job.case, is_gpu_promised)
    pictures = [one.picture for one in inputs(job.size_hw)]
    engine = ready(job.case.make(job.quality), job.size_hw)
    benchmark.group, benchmark.name = job.group, job.name
    depth = measure(benchmark, engine.infer, [(picture,) for picture in pictures], perf_counter)
    assert depth.shape == net_size(*job.size_hw, job.quality)
    benchmark.extra_info.update(_facts(job, engine), commit=commit)  # an engine knows its label once it runs
    if is_timed(engine):
        benchmark.extra_info["gpu_ms"] = _gpu_ms(engine, pictures)


def _need(case: EngineCase, is_gpu_promised: bool) -> None:
    """PyTorch runs on every GPU; what else is not installed is no fault."""
    why = case.why_not()
    if why is not None:
        (pytest.fail if is_gpu_promised and case.name == TORCH_ON_CUDA else pytest.skip)(why)


def _facts(job: EngineJob, engine: Engine) -> dict[str, object]:
    size = {"size": size_name(job.size_hw), "net": size_name(net_size(*job.size_hw, job.quality))}
    how = {"device": job.case.device, "quality": job.quality, "precision": job.case.precision}
    return {**size, **how, "engine": label(engine)}


def _gpu_ms(engine: Engine, pictures: Sequence[Picture]) -> float:
    """The median share of the GPU, between two CUDA events on the net's stream."""
    timed = GpuTimed(engine)
    for picture in pictures:
        timed.infer(picture)
    return round(median(timed.durations_s) * 1e3, 4)
