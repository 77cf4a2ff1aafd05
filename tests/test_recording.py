"""Work that is kept, handed over at once, and replayed: the same results as launched one by one, whatever is given."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, islice
from threading import Thread
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.kernels.api import Lens, RefocusStyle
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.graphs import MOST_GRAPHS
from pullfocus.kernels.cuda.launch import DeviceArray, Recordable
from pullfocus.kernels.cuda.program import Coming, Program, run
from pullfocus.kernels.cuda.recording import MOST_REMEMBERED, RecordingLauncher
from pullfocus.kernels.cuda.sketch import Results, results_of

from .parity import photo
from .recorded import CENTRES, SIZE_HW, Counting, assert_same_both_ways, random_depth, refocused


def test_replayed_frames_are_those_that_were_launched(recording: RecordingLauncher, gpu: Counting) -> None:
    for index in range(5):
        assert_same_both_ways(recording, gpu, refocused, index)
    assert (gpu.captures, gpu.plays) == (1, 4)


def test_depth_through_time(recording: RecordingLauncher, gpu: Counting) -> None:
    def fused(launcher: Any, kernels: CudaKernels, frames: int) -> list[Any]:
        belief, before, out = None, gpu.zeros((*SIZE_HW, 3), np.uint8), list[Any]()
        for index in range(frames):
            with launcher.frame() if isinstance(launcher, RecordingLauncher) else gpu.queue():
                now, new = kernels.upload(np.roll(photo(SIZE_HW), index, 1)), kernels.upload(random_depth(index))
                if belief is None:
                    belief = kernels.first_belief(new, (24, 32))
                else:
                    motion = kernels.motion(kernels.shrink(now, (24, 32)), kernels.shrink(before, (24, 32)))
                    belief = kernels.fuse(kernels.carry(belief, motion), new)
                before = now
            out.append(launcher.download(cast(Any, belief.depth)))
        return out

    for ours, expected in zip(
        fused(recording, CudaKernels(recording), 6), fused(gpu, CudaKernels(gpu), 6), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)
    assert gpu.plays >= 3


def test_what_is_asked_for_within_a_frame_is_handed_over_at_once(recording: RecordingLauncher, gpu: Counting) -> None:
    def asked(kernels: CudaKernels, index: int) -> DeviceArray:
        first = kernels.smooth(kernels.upload(random_depth(index)), 3, 3)
        here = kernels.download(first)
        return kernels.smooth(kernels.upload(here * 2.0), 5, 0)

    for index in range(4):
        assert_same_both_ways(recording, gpu, asked, index)
    assert gpu.captures == 2


def test_a_slow_pull_of_focus_and_aperture_is_mostly_replayed(recording: RecordingLauncher, gpu: Counting) -> None:
    picture, depth, frames = gpu.upload(photo((180, 240))), gpu.upload(random_depth(1, (180, 240))), 60

    def pulled(kernels: CudaKernels, index: int) -> DeviceArray:
        lens = Lens(0.2 + 0.4 * index / frames, 6.0 + 2.0 * index / frames, 0.02)
        return kernels.refocus(picture, depth, CENTRES, lens, RefocusStyle())

    for index in range(frames):
        assert_same_both_ways(recording, gpu, pulled, index)
    assert gpu.plays > 0.6 * frames


def test_old_graphs_are_let_go_of(recording: RecordingLauncher, gpu: Counting) -> None:
    def of_width(width: int) -> None:
        def smoothed(kernels: CudaKernels, index: int) -> DeviceArray:
            return kernels.smooth(kernels.upload(random_depth(index, (16, width))), 3, 0)

        for index in range(2):
            assert_same_both_ways(recording, gpu, smoothed, index)

    for width in range(20, 21 + MOST_GRAPHS):
        of_width(width)
    assert (gpu.captures, len(recording.graphs)) == (MOST_GRAPHS + 1, MOST_GRAPHS)
    of_width(20)  # seen before, so made anew at once
    assert gpu.captures == MOST_GRAPHS + 2


def test_work_of_a_frame_that_failed_is_dropped(recording: RecordingLauncher) -> None:
    kernels, lost = CudaKernels(recording), list[DeviceArray]()

    def failing() -> None:
        with recording.frame():
            lost.append(kernels.smooth(kernels.upload(random_depth(0)), 3, 0))
            raise KeyError("engine")

    with pytest.raises(KeyError):
        failing()
    with pytest.raises(RuntimeError, match="failed before it was handed"):
        kernels.download(lost[0])
    assert kernels.download(kernels.smooth(kernels.upload(random_depth(0)), 3, 0)).shape == SIZE_HW


def test_threads_have_frames_of_their_own(recording: RecordingLauncher, gpu: Counting) -> None:
    failures = list[BaseException]()

    def frames(width: int) -> None:
        def smoothed(kernels: CudaKernels, index: int) -> DeviceArray:
            return kernels.smooth(kernels.upload(random_depth(index, (16, width))), 3, 5)

        try:
            for index in range(30):
                assert_same_both_ways(recording, gpu, smoothed, index)
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=frames, args=(width,)) for width in (20, 24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert gpu.plays == 58


class Interrupted:
    """A value of which all are equal; whenever one is looked up, another thread's come first."""

    def __init__(self, others: Callable[[], object]) -> None:
        self._others = others

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interrupted)

    def __hash__(self) -> int:
        self._others()
        return 0


def test_threads_may_forget_what_another_one_looks_up(recording: RecordingLauncher) -> None:
    def empty(gpu: Recordable, size: object) -> DeviceArray:
        return gpu.empty((size if isinstance(size, int) else 1,), np.uint8)

    sizes = count(1)

    def others() -> None:
        for size in islice(sizes, MOST_REMEMBERED):
            recording.call(empty, size)

    with recording.frame():
        shapes = [recording.call(empty, Interrupted(lambda: None)).shape]
        shapes.append(recording.call(empty, Interrupted(others)).shape)
    assert shapes == [(1,), (1,)]


def test_memory_is_let_go_of_after_its_last_use(gpu: Counting) -> None:
    def zeros(gpu: Recordable) -> DeviceArray:
        return gpu.zeros((8, 8), np.float32)

    def copied(gpu: Recordable, array: DeviceArray) -> DeviceArray:
        return gpu.copy(array)

    program = Program()
    first = program.call(zeros, (), results_of(zeros, ()))
    for _ in range(6):
        first = program.call(copied, (first,), results_of(copied, (first,)))
    results = program.results()
    assert [coming is first for coming in results] == [True]
    outline, pieces = program.outline(results), list[int]()

    def work() -> None:
        kept = run(outline, gpu, [])
        assert gpu.capture is not None
        pieces.append(gpu.capture.pieces)
        del kept

    gpu.captured(work)
    assert pieces == [2]


def test_only_what_is_still_referred_to_is_a_result(recording: RecordingLauncher) -> None:
    with recording.frame():
        kernels = CudaKernels(recording)
        kept, dropped = (kernels.smooth(kernels.upload(random_depth(0)), 3, 0) for _ in range(2))
        assert isinstance(dropped, Coming)
        del dropped
    assert np.isfinite(cast(Any, recording.there(kept))).all()


def _halves(gpu: Recordable, plane: DeviceArray, wide: int) -> tuple[DeviceArray, ...]:
    """The plane itself, and two others."""
    return plane, gpu.empty((1, wide), np.uint8), gpu.copy(plane)


def test_results_are_known_before_anything_is_run() -> None:
    plane = np.zeros((3, 5), np.float32)
    assert results_of(_halves, (plane, 7)) == Results((0, ((1, 7), np.dtype(np.uint8)), ((3, 5), plane.dtype)), True)


def test_what_is_only_handed_through_is_itself(recording: RecordingLauncher) -> None:
    kernels, plane = CudaKernels(recording), recording.upload(random_depth(0))
    with recording.frame():
        same = kernels.resize(plane, SIZE_HW)
        first, _, copy = recording.call(_halves, plane, 4)
    assert same is plane
    assert first is plane
    np.testing.assert_array_equal(cast(Any, recording.there(copy)), cast(Any, plane))


def test_values_are_told_apart(recording: RecordingLauncher, gpu: Counting) -> None:
    def smoothed(kernels: CudaKernels, index: int) -> DeviceArray:
        return kernels.smooth(kernels.upload(random_depth(index)), 3 if index % 2 else 5, 0)

    for index in range(6):
        assert_same_both_ways(recording, gpu, smoothed, index)
    assert (gpu.captures, gpu.plays) == (2, 4)
