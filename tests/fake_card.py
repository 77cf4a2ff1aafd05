"""A GPU for tests: kernels compiled for the CPU, events by the host's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from pullfocus.benchmarks.gpu.card import KernelUse, Step
from pullfocus.kernels.cuda.launch import Argument, DeviceArray, Kernel, Shape

from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher


class FakeEvent:
    def __init__(self) -> None:
        self.moment_s = 0.0

    def record(self) -> None:
        self.moment_s = perf_counter()

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, end_event: Any) -> float:
        return (end_event.moment_s - self.moment_s) * 1e3


class CountingLauncher(ShimLauncher):
    """Counts launches by the kernel's name, and the bytes of what it makes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.launched, self.made_bytes = Counter[str](), 0

    def empty(self, shape: Shape, dtype: Any) -> DeviceArray:
        self.made_bytes += int(np.prod(shape)) * np.dtype(dtype).itemsize
        return super().empty(shape, dtype)

    def table(self, key: Hashable, make: Any) -> DeviceArray:
        return super().table(key, make)

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        self.launched[kernel.name] += 1
        super().launch(kernel, extent, *arguments)

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        """Its kernels count whenever it is played."""
        before = self.launched.copy()
        replay = super().captured(work)
        own, self.launched = self.launched - before, before

        def played() -> None:
            self.launched.update(own)
            replay()

        return played


class FakeCard:
    """l2_bytes: small, so that few inputs are drawn."""

    device, l2_bytes = "cpu", 1 << 14

    def __init__(self, folder: Path) -> None:
        self.launcher = CountingLauncher(folder)
        self.waits = 0

    def lanes(self) -> LateCard:
        return LateCard(self.launcher)

    def event(self) -> FakeEvent:
        return FakeEvent()

    def wait(self) -> None:
        self.waits += 1

    def forget_peak(self) -> None:
        self.launcher.made_bytes = 0

    def peak_bytes(self) -> int:
        return self.launcher.made_bytes

    def kernels(self, step: Step, frames: int) -> list[KernelUse]:
        self.launcher.launched.clear()
        for index in range(frames):
            step(index)
        return [KernelUse(name, count / frames, 1.0) for name, count in self.launcher.launched.most_common()]
