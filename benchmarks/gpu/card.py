"""The GPU that is measured: what runs kernels on it, its clock, its memory, and what was launched."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ...engines.gpu_time import Event
from ...kernels.cuda.card import Card as Lanes
from ...kernels.cuda.cupy_card import CupyCard
from ...kernels.cuda.device import CupyLauncher
from ...kernels.cuda.graphs import Capturing
from ...kernels.errors import EngineError

Step: TypeAlias = Callable[[int], object]  # the work on the frame of a number, put on the card's stream


@dataclass(frozen=True, slots=True)
class KernelUse:
    """A kernel or copy as the driver names it: launches a frame, and microseconds a frame in all of them."""

    name: str
    launches: float
    us: float


class Card(Protocol):
    """What a measurement needs of a GPU."""

    @property
    def launcher(self) -> Capturing: ...

    @property
    def device(self) -> str:
        """As PyTorch names it."""
        ...

    @property
    def l2_bytes(self) -> int: ...

    def lanes(self) -> Lanes:
        """The same GPU as a run uses it."""
        ...

    def event(self) -> Event:
        """For a moment on the stream that the work goes to."""
        ...

    def wait(self) -> None:
        """Until all work is done."""
        ...

    def forget_peak(self) -> None:
        """Give back all memory that nothing uses, and count anew."""
        ...

    def peak_bytes(self) -> int:
        """The device memory that is held, what allocators keep for later and CUDA graphs included."""
        ...

    def kernels(self, step: Step, frames: int) -> list[KernelUse]:
        """What some frames launch, the longest first. Raises EngineError where the driver does not let one look."""
        ...


class NvidiaCard:
    """The first GPU, through PyTorch and CuPy. Raises EngineError, InputError where it cannot be used."""

    device = "cuda"

    def __init__(self) -> None:
        try:
            self._torch: Any = importlib.import_module("torch")
        except ImportError as error:
            raise EngineError(
                f"torch cannot be imported ({error}); run: pip install 'pullfocus[train,cuda]'"
            ) from error
        if not self._torch.cuda.is_available():
            raise EngineError("PyTorch sees no NVIDIA GPU; these figures can only be taken on one")
        self._torch.cuda.init()
        self.launcher: Capturing = CupyLauncher()
        self._pool: Any = importlib.import_module("cupy").get_default_memory_pool()
        self.l2_bytes = int(self._torch.cuda.get_device_properties(0).L2_cache_size)

    def lanes(self) -> Lanes:
        return CupyCard()

    def event(self) -> Event:
        return self._torch.cuda.Event(enable_timing=True)

    def wait(self) -> None:
        self._torch.cuda.synchronize()

    def forget_peak(self) -> None:
        gc.collect()
        self.wait()
        self._pool.free_all_blocks()
        self._torch.cuda.empty_cache()

    def peak_bytes(self) -> int:
        # By the driver's count, for graphs have memory beside the pools; all of those only grow until `forget_peak`.
        free, total = self._torch.cuda.mem_get_info()
        return int(total - free)

    def kernels(self, step: Step, frames: int) -> list[KernelUse]:
        profiler = self._torch.profiler
        try:
            with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as seen:
                for index in range(frames):
                    step(index)
                self.wait()
            return uses_of(seen.events(), frames)
        except RuntimeError as error:
            raise EngineError(f"the profiler does not run here ({str(error).splitlines()[0]})") from error


def uses_of(events: Iterable[Any], frames: int) -> list[KernelUse]:
    """events: PyTorch's profiler's, of which those of the device count."""
    seen: dict[str, list[float]] = {}
    for event in events:
        if event.device_type.name == "CUDA":
            seen.setdefault(event.name, []).append(float(event.time_range.elapsed_us()))
    uses = [KernelUse(name, len(each) / frames, sum(each) / frames) for name, each in seen.items()]
    return sorted(uses, key=lambda use: -use.us)
