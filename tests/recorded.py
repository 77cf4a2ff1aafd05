"""What tests of recorded work share: a launcher that counts graphs, frames of work, and a look at both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from pullfocus.kernels.api import Lens, RefocusStyle
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.launch import Argument, DeviceArray, Kernel, Shape
from pullfocus.kernels.cuda.recording import RecordingLauncher

from .cuda_shim.launcher import ShimLauncher
from .parity import photo

SIZE_HW = 48, 64
CENTRES = np.array([0.1, 0.3, 0.6, 0.9])


class Counting(ShimLauncher):
    """captures: how many graphs were made; plays: how often they ran. refuses: make none.

    full_until_forgotten: there is no memory left before `forget` is called.

    One thread at a time: the shim's kernels know but one `threadIdx`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.captures = self.plays = 0
        self.refuses: type[Exception] | None = None
        self._lock = Lock()
        self.full_until_forgotten = False

    def forget(self) -> None:
        self.full_until_forgotten = False

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        self._check_memory()
        with self._lock:
            super().launch(kernel, extent, *arguments)

    def copy(self, array: DeviceArray) -> DeviceArray:
        self._check_memory()
        return super().copy(array)

    def _check_memory(self) -> None:
        if self.full_until_forgotten:
            raise MemoryError("out of memory")

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        if self.refuses is not None:
            raise self.refuses("operation not permitted\nwhen stream is capturing")
        self.captures += 1
        play = super().captured(work)

        def counted() -> None:
            self.plays += 1
            with self._lock:
                play()

        return counted


def random_depth(seed: int, size_hw: tuple[int, int] = SIZE_HW) -> Any:
    return np.random.default_rng(seed).random(size_hw, np.float32)


def assert_same_both_ways(
    recording: RecordingLauncher, gpu: Counting, work: Callable[[CudaKernels, int], DeviceArray], index: int
) -> None:
    """Frame `index`, recorded and launched one by one."""
    with recording.frame():
        out = work(CudaKernels(recording), index)
    expected = work(CudaKernels(gpu), index)
    np.testing.assert_array_equal(cast(Any, recording.there(out)), cast(Any, expected))


def refocused(kernels: CudaKernels, index: int) -> DeviceArray:
    picture, depth = kernels.upload(photo(SIZE_HW)), kernels.upload(random_depth(index))
    smooth = kernels.smooth(kernels.finite(depth), 3, 0)
    large = kernels.upsample(kernels.resize(smooth, (12, 16)), picture)
    lens = Lens(0.3 + 0.001 * index, 4.0, 0.02)
    return kernels.refocus(picture, large, CENTRES, lens, RefocusStyle())
