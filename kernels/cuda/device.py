"""Kernels on an NVIDIA GPU: compiled by CuPy at their first use, run on PyTorch's stream where PyTorch is in use.

CuPy is imported when a launcher is made, never before.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Generator, Hashable
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import InputError
from .launch import Argument, DeviceArray, Kernel, Launcher, Shape, grid_of, scalar, source_of

OPTIONS = ("--std=c++17",)


class CupyBranch:
    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._stream: Any = cupy.cuda.Stream(non_blocking=True)

    @property
    def handle(self) -> int:
        return int(self._stream.ptr)

    @contextmanager
    def turn(self, callers: Launcher) -> Generator[None]:
        with callers.queue() as stream:
            pass
        self._let_wait(self._stream, stream)
        try:
            yield
        finally:
            self._let_wait(stream, self._stream)

    def _let_wait(self, stream: Any, other: Any) -> None:
        """On the card, for what `other` has until now."""
        event = self._cupy.cuda.Event(disable_timing=True)
        event.record(other)
        stream.wait_event(event)


class CupyLauncher:
    """Runs kernels on the current CUDA device. Raises InputError where there is none, or no CuPy.

    An array that another stream has made must be waited for by the caller.
    """

    torch_device = "cuda"  # where PyTorch has tensors in the same memory

    def __init__(self) -> None:
        try:
            self._cupy: Any = importlib.import_module("cupy")
        except ImportError as error:
            raise InputError(
                f"got device 'cuda', but CuPy cannot be imported ({error}); run: pip install 'pullfocus[cuda]'"
            ) from error
        _check_device(self._cupy)
        self._modules: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._functions: dict[Kernel, Any] = {}
        self._tables: dict[Hashable, DeviceArray] = {}
        self._recorder: tuple[Any, Any] | None = None

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        return cast(DeviceArray, self._cupy.empty(shape, dtype))

    def zeros(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        return cast(DeviceArray, self._cupy.zeros(shape, dtype))

    def copy(self, array: DeviceArray) -> DeviceArray:
        return cast(DeviceArray, self._cupy.array(array))

    def overwrite(self, to: DeviceArray, array: DeviceArray) -> None:
        held, source = cast(Any, to), self._parameter(array)
        held.data.copy_from_device_async(source.data, source.nbytes)

    def upload(self, values: NDArray[Any]) -> DeviceArray:
        return cast(DeviceArray, self._cupy.asarray(values, order="C"))

    def download(self, array: DeviceArray) -> NDArray[Any]:
        return cast("NDArray[Any]", self._cupy.asnumpy(array))

    def paste(self, plane: Any, to: DeviceArray, row: int) -> None:
        written = self._cupy.cuda.Event(disable_timing=True)
        written.record(self._cupy.cuda.Stream.null)
        self._cupy.cuda.get_current_stream().wait_event(written)
        rows: Any = self._cupy.from_dlpack(plane)
        held: Any = to
        held[row : row + rows.shape[0]] = rows.reshape(rows.shape[0], -1)

    def table(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> DeviceArray:
        if key not in self._tables:
            made = self.upload(make())
            self._cupy.cuda.get_current_stream().synchronize()  # other streams will read it
            self._tables[key] = made
        return self._tables[key]

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        if min(extent) < 1:
            return  # CUDA refuses an empty grid
        grid, block = grid_of(extent)
        self._function(kernel)(grid, block, tuple(self._parameter(argument) for argument in arguments))

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        """See `graphs.Capturing`. On a stream of its own: what others launch meanwhile is not recorded.

        Its memory comes from a pool of its own, which graphs share, and which lives as long as one of them.
        """
        cuda = self._cupy.cuda
        if self._recorder is None:
            self._recorder = cuda.Stream(non_blocking=True), _lasting_pool(cuda)
        stream, pool = self._recorder
        with stream, cuda.using_allocator(pool.malloc):
            stream.begin_capture()
            try:
                work()
            except BaseException:
                self._recorder = None  # more graphs in this memory would only be refused
                with suppress(RuntimeError):  # it is told what is wrong with it once more
                    stream.end_capture()
                raise
            graph = stream.end_capture()

        def play(memory: Any = pool) -> None:
            del memory  # which this function keeps
            graph.launch()

        return play

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(self, *arguments)

    def forget(self) -> None:
        self._recorder = None

    def at_once(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def queue(self) -> AbstractContextManager[Any]:
        """CuPy's current stream, where one was chosen; else PyTorch's, if PyTorch has begun to use the GPU."""
        torch: Any = sys.modules.get("torch")
        current = self._cupy.cuda.get_current_stream()
        if current.ptr or torch is None or not torch.cuda.is_initialized():
            return cast("AbstractContextManager[Any]", current)
        return cast(
            "AbstractContextManager[Any]", self._cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream)
        )

    @property
    def device_id(self) -> int:
        return int(self._cupy.cuda.runtime.getDevice())

    def address(self, array: DeviceArray) -> int:
        held: Any = array
        return int(held.data.ptr)

    def branch(self) -> CupyBranch:
        return CupyBranch(self._cupy)

    def of_torch(self, tensor: Any) -> DeviceArray:
        """A tensor's memory as an array, not copied (DLPack)."""
        with self.queue():
            return cast(DeviceArray, self._cupy.from_dlpack(tensor.detach()))

    def to_torch(self, array: DeviceArray) -> Any:
        """An array's memory as a tensor, not copied (DLPack)."""
        with self.queue():
            return importlib.import_module("torch").from_dlpack(array)

    def _function(self, kernel: Kernel) -> Any:
        if kernel not in self._functions:
            key = kernel.file, kernel.defines
            if key not in self._modules:
                options = (*OPTIONS, *(f"-D{define}" for define in kernel.defines))
                self._modules[key] = self._cupy.RawModule(code=source_of(kernel.file), options=options)
            self._functions[kernel] = self._modules[key].get_function(kernel.name)
        return self._functions[kernel]

    def _parameter(self, argument: Argument) -> Any:
        if isinstance(argument, self._cupy.ndarray):
            held: Any = argument
            if not held.flags.c_contiguous:
                raise InputError("got an array with gaps; the kernels take C-contiguous ones: cupy.ascontiguousarray")
            return held
        if isinstance(argument, np.ndarray) and argument.dtype.names is None:
            raise InputError("got an array in main memory; the CUDA kernels take arrays on the GPU: cupy.asarray")
        return scalar(argument)


def _lasting_pool(cuda: Any) -> Any:
    """A pool that frees nothing while it lives.

    CuPy's own, when memory is short, frees what no array has; but graphs work on in what their arrays had.
    """
    pieces = list[Any]()

    def piece(size: int) -> Any:
        memory = cuda.Memory(size)
        pieces.append(memory)
        return cuda.MemoryPointer(memory, 0)

    return cuda.MemoryPool(piece)


def _check_device(cupy: Any) -> None:
    """Raises InputError where no GPU answers: without a driver, or with one that is older than CuPy's CUDA."""
    try:
        count, why = cupy.cuda.runtime.getDeviceCount(), "it counts none"
    except cupy.cuda.runtime.CUDARuntimeError as error:
        count, why = 0, " ".join(str(error).split())
    if not count:
        raise InputError(f"got device 'cuda', but no NVIDIA GPU answers CuPy ({why}); check nvidia-smi, or install the "
                         "CuPy for the driver's CUDA")  # fmt: skip
