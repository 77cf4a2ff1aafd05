"""An NVIDIA GPU through CuPy, with PyTorch on the same streams where it is in use."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

from .device import CupyLauncher
from .kernels import CudaKernels
from .launch import DeviceArray
from .recording import RecordingLauncher


class CupyMark:
    def __init__(self, cupy: Any, stream: Any) -> None:
        self.event: Any = cupy.cuda.Event(disable_timing=True)
        self.event.record(stream)

    @property
    def done(self) -> bool:
        return bool(self.event.done)

    def wait(self) -> None:
        self.event.synchronize()


class CupyLane:
    """A stream of its own, which waits for no other."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._stream: Any = cupy.cuda.Stream(non_blocking=True)

    @contextmanager
    def queue(self) -> Generator[None]:
        torch: Any = sys.modules.get("torch")
        with self._stream:
            if torch is None or not torch.cuda.is_available():
                yield
                return
            with torch.cuda.stream(torch.cuda.ExternalStream(self._stream.ptr)):
                yield

    def mark(self) -> CupyMark:
        return CupyMark(self._cupy, self._stream)

    def after(self, mark: Any) -> None:
        self._stream.wait_event(mark.event)

    def send(self, values: NDArray[Any], to: DeviceArray) -> None:
        held: Any = to
        held.data.copy_from_host_async(values.ctypes.data, values.nbytes, self._stream)

    def fetch(self, array: DeviceArray, to: NDArray[Any]) -> None:
        held: Any = array
        held.data.copy_to_host_async(to.ctypes.data, to.nbytes, self._stream)


class CupyCard:
    """Raises InputError where there is no GPU, or no CuPy for it."""

    def __init__(self) -> None:
        self.recording = RecordingLauncher(CupyLauncher())
        self.kernels = CudaKernels(self.recording)
        cupy: Any = importlib.import_module("cupy")
        self._cupy = cupy
        self.name = str(cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())["name"].decode())
        self.upload, self.compute, self.download = (CupyLane(cupy) for _ in range(3))

    def pinned(self, size: int) -> Any:
        return self._cupy.cuda.alloc_pinned_memory(size)
