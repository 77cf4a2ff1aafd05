"""How a call is timed: in rounds that take the inputs in turn, and on a GPU by its own clock."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import cycle
from typing import Any, cast

from pytest_benchmark.fixture import BenchmarkFixture

from ...kernels.api import load
from ...kernels.cuda import CudaKernels

BUDGET_S = 0.5  # for the rounds of one benchmark
TURNS = 3, 50  # how often each input comes, at least and at most


def measure(
    benchmark: BenchmarkFixture, call: Callable[..., Any], inputs: Sequence[tuple[Any, ...]], clock: Callable[[], float]
) -> Any:
    """Time `call` on each of `inputs` in turn, equally often, so that the median is over all of them.

    One turn warms up, one tells how many fit into the budget. clock: seconds, the one that `benchmark` times with.
    Returns the last result. With --benchmark-disable the first input is taken once.
    """
    if benchmark.disabled:
        return benchmark.pedantic(call, inputs[0])
    turn = cycle(inputs)
    for one in inputs:
        call(*one)
    started_s = clock()
    for one in inputs:
        call(*one)
    turns = math.ceil(BUDGET_S / max(clock() - started_s, 1e-9))
    rounds = len(inputs) * min(max(turns, TURNS[0]), TURNS[1])
    return benchmark.pedantic(call, setup=lambda: (next(turn), dict[str, Any]()), rounds=rounds)


@cache
def gpu_kernels() -> CudaKernels:
    """Raises InputError where they cannot run."""
    return cast(CudaKernels, load("cuda"))


class CudaClock:
    """Seconds since its first reading, by CUDA events on the stream that `queue` makes CuPy's current one.

    A reading waits until the GPU has done all that was asked of it. So two readings hold the launches of what is
    between them, and its work to the end. Steps between readings are added up: the events' own time is a float32.
    """

    def __init__(self, cupy: Any, queue: Callable[[], AbstractContextManager[Any]]) -> None:
        self._cuda: Any = cupy.cuda
        self._queue = queue
        self._last, self._next = (self._cuda.Event() for _ in range(2))
        self.total_s, self._is_running = 0.0, False

    def __call__(self) -> float:
        with self._queue():
            self._next.record()
        self._next.synchronize()
        if self._is_running:
            self.total_s += self._cuda.get_elapsed_time(self._last, self._next) / 1e3
        self._is_running = True
        self._last, self._next = self._next, self._last
        return self.total_s


@cache
def _gpu_clock() -> CudaClock:
    return CudaClock(importlib.import_module("cupy"), gpu_kernels().launcher.queue)


def gpu_seconds() -> float:
    """For pytest-benchmark, which takes its timers before there is a GPU to ask."""
    return _gpu_clock()()
