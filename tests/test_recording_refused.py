"""Graphs that CUDA refuses, that give other values or find no memory: the work is done without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.launch import DeviceArray
from pullfocus.kernels.cuda.recording import RecordingLauncher

from .cuda_shim.launcher import ShimLauncher
from .recorded import Counting, assert_same_both_ways, random_depth, refocused


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_without_graphs_all_is_launched_one_by_one(
    recording: RecordingLauncher, gpu: Counting, error: type[Exception]
) -> None:
    gpu.refuses = error
    for index in range(4):
        assert_same_both_ways(recording, gpu, refocused, index)
    assert recording.graphs.refused == "operation not permitted when stream is capturing"
    assert gpu.plays == 0


def test_graphs_give_way_where_memory_is_short(recording: RecordingLauncher, gpu: Counting) -> None:
    for index in range(3):
        assert_same_both_ways(recording, gpu, refocused, index)

    def smoothed(kernels: CudaKernels, index: int) -> DeviceArray:
        return kernels.smooth(kernels.upload(random_depth(index)), 5, 3)

    gpu.full_until_forgotten = True
    with recording.frame():
        out = smoothed(CudaKernels(recording), 1)
    assert (gpu.full_until_forgotten, len(recording.graphs), recording.graphs.refused) == (False, 0, None)
    np.testing.assert_array_equal(cast(Any, recording.there(out)), cast(Any, smoothed(CudaKernels(gpu), 1)))
    for index in range(3):
        assert_same_both_ways(recording, gpu, refocused, index)  # and are made anew
    assert len(recording.graphs) == 1


def test_graphs_give_way_to_the_results_of_one_of_them(recording: RecordingLauncher, gpu: Counting) -> None:
    for index in range(3):
        assert_same_both_ways(recording, gpu, refocused, index)
    gpu.full_until_forgotten = True
    with recording.frame():
        out = refocused(CudaKernels(recording), 3)
    assert (gpu.full_until_forgotten, len(recording.graphs), recording.graphs.refused) == (False, 0, None)
    np.testing.assert_array_equal(cast(Any, recording.there(out)), cast(Any, refocused(CudaKernels(gpu), 3)))


class Wrong(Counting):
    """Its graphs do nothing."""

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        super().captured(work)
        return lambda: None


def test_a_graph_on_trial_that_gives_other_values_is_refused(shim: ShimLauncher, gpu: Counting) -> None:
    for launcher, refused in ((gpu, False), (Wrong(shim.folder), True)):
        recording = RecordingLauncher(launcher)
        recording.graphs.on_trial = True
        for index in range(3):
            assert_same_both_ways(recording, launcher, refocused, index)
        assert (len(recording.graphs) == 0) is refused
        why = "a graph gave other values than its kernels launched one by one"
        assert recording.graphs.refused == (why if refused else None)


def test_memory_that_is_short_without_graphs_is_an_error(recording: RecordingLauncher, gpu: Counting) -> None:
    """And what failed is not known yet: a recording would find its kernels and tables missing."""

    def smoothed(kernels: CudaKernels, index: int) -> DeviceArray:
        return kernels.smooth(kernels.upload(random_depth(index)), 3, 0)

    def failing() -> DeviceArray:
        with recording.frame():
            return smoothed(CudaKernels(recording), 0)

    gpu.full_until_forgotten = True
    with pytest.raises(MemoryError):
        failing()
    gpu.forget()
    assert_same_both_ways(recording, gpu, smoothed, 0)
    assert gpu.captures == 0
    assert_same_both_ways(recording, gpu, smoothed, 1)
    assert gpu.captures == 1
