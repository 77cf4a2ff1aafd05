"""Runs the CUDA kernels on the CPU, on NumPy arrays: compiled as C++ with a header that knows CUDA's words."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import local
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pullfocus.kernels.cuda.launch import Argument, DeviceArray, Kernel, Launcher, Shape, grid_of, scalar, source_of

from .capture import Capture, alias

HEADER = Path(__file__).with_name("cuda_shim.hpp")
COMPILER = shutil.which("g++")
OPTIONS = ("-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC")
KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(')
WRAPPER = """
extern "C" void launch_{name}(const unsigned* grid, const unsigned* block, void** arguments, int backwards) {{
    shim_launch({name}, grid, block, arguments, backwards);
}}
extern "C" const char* kinds_{name}() {{ return shim_kinds({name}); }}
"""


class ShimBranch:
    """All work on a CPU is done when its call returns."""

    handle = 1

    def turn(self, callers: Launcher) -> AbstractContextManager[None]:
        del callers
        return nullcontext()


class ShimLauncher:
    """folder: where libraries are kept. backwards: run the last thread first, which must make no difference."""

    torch_device = "cpu"

    def __init__(self, folder: Path, backwards: bool = False) -> None:
        self.folder, self._backwards = folder, backwards
        self._libraries: dict[tuple[str, tuple[str, ...]], ctypes.CDLL] = {}
        self._tables: dict[Hashable, DeviceArray] = {}
        self._thread = local()

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        """All bits are set, which would show if it were read: NaN, or the greatest integer."""
        if self.capture is not None:
            return self.capture.empty(shape, dtype)
        out = np.empty(shape, dtype)
        out.reshape(-1).view(np.uint8)[:] = 255
        return out

    def zeros(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        out = self.empty(shape, dtype)
        target = alias(cast(Any, out))
        self._do(lambda: target.fill(0))
        return out

    def copy(self, array: DeviceArray) -> DeviceArray:
        out = self.empty(array.shape, array.dtype)
        self.overwrite(out, array)
        return out

    def overwrite(self, to: DeviceArray, array: DeviceArray) -> None:
        target, source = (alias(cast(Any, each)) for each in (to, array))
        assert (target.shape, target.dtype) == (source.shape, source.dtype)
        self._do(lambda: np.copyto(target, source))

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        capture = self._thread.capture = Capture()
        try:
            work()
        finally:
            self._thread.capture = None
        return capture.play

    def forget(self) -> None:
        """Its graphs' memory is their own."""

    @property
    def capture(self) -> Capture | None:
        """That of this thread, which records."""
        return getattr(self._thread, "capture", None)

    def _do(self, call: Callable[[], object]) -> None:
        if self.capture is None:
            call()
        else:
            self.capture.add(call)

    def upload(self, values: NDArray[Any]) -> DeviceArray:
        return np.array(values, order="C")

    def download(self, array: DeviceArray) -> NDArray[Any]:
        return np.array(array)

    def paste(self, plane: Any, to: DeviceArray, row: int) -> None:
        rows, held = np.from_dlpack(plane), cast(Any, to)
        held[row : row + rows.shape[0]] = rows.reshape(rows.shape[0], -1)

    def table(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> DeviceArray:
        if key not in self._tables:
            self._tables[key] = self.upload(make())
        return self._tables[key]

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        if min(extent) < 1:
            return
        grid, block = ((ctypes.c_uint * 3)(*size) for size in grid_of(extent))
        library = self._library(kernel)
        kinds = getattr(library, f"kinds_{kernel.name}")
        kinds.restype = ctypes.c_char_p
        check(kernel.name, kinds().decode().split(), arguments)
        memory = [alias(each) for each in arguments if isinstance(each, np.ndarray)]
        held = [_stored(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * len(held))(*(values.ctypes.data for values in held))
        call = getattr(library, f"launch_{kernel.name}")
        self._do(lambda: (call(grid, block, pointers, int(self._backwards)), memory, held))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(self, *arguments)

    def at_once(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def queue(self) -> AbstractContextManager[Any]:
        return nullcontext()

    @property
    def device_id(self) -> int:
        return 0

    def address(self, array: DeviceArray) -> int:
        return cast(Any, array).ctypes.data

    def branch(self) -> ShimBranch:
        return ShimBranch()

    def of_torch(self, tensor: Any) -> DeviceArray:
        return tensor.detach().numpy()

    def to_torch(self, array: DeviceArray) -> Any:
        import torch

        return torch.from_numpy(array)

    def _library(self, kernel: Kernel) -> ctypes.CDLL:
        key = kernel.file, kernel.defines
        if key not in self._libraries:
            self._libraries[key] = ctypes.CDLL(str(built(self.folder, *key)))
        return self._libraries[key]


def check(name: str, kinds: Sequence[str], arguments: Sequence[Argument]) -> None:
    """Whether the arguments are what the kernel takes, of which `kinds` tells as `cuda_shim.hpp` says."""
    assert len(kinds) == len(arguments), f"{name} takes {len(kinds)} arguments, got {len(arguments)}"
    for place, (kind, argument) in enumerate(zip(kinds, arguments, strict=True)):
        given = _kinds_of(argument)
        assert kind in given, f"{name}, argument {place}: takes {kind}, got {' or '.join(given)}"


def _kinds_of(argument: Argument) -> list[str]:
    if isinstance(argument, np.ndarray):
        size = argument.dtype.itemsize
        if argument.dtype.names is not None:
            return [f"s{size * argument.size}"]
        return [f"p{size}", f"p{size * argument.shape[-1]}"]  # its numbers, or all of its last axis in a vector
    value = np.asarray(scalar(argument))
    return [f"{value.dtype.kind}{value.dtype.itemsize}"]


def _stored(argument: Argument) -> NDArray[Any]:
    """The memory that holds the argument's value: for an array, its address."""
    if isinstance(argument, np.ndarray) and argument.dtype.names is None:
        assert argument.flags.c_contiguous, "the kernels take C-contiguous arrays"
        return np.array([argument.ctypes.data], np.uintp)
    return np.atleast_1d(np.asarray(scalar(argument)))


def built(folder: Path, file: str, defines: tuple[str, ...]) -> Path:
    """The library of a `.cu` file, made unless it is there."""
    code = source_of(file)
    wrappers = "".join(WRAPPER.format(name=name) for name in KERNEL.findall(code))
    text = f'#include "{HEADER}"\n{code}\n{wrappers}'
    known = hashlib.sha256("\0".join((text, HEADER.read_text(), *OPTIONS, *defines)).encode()).hexdigest()[:16]
    library = folder / f"{Path(file).stem}-{known}.so"
    with library.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run at the same time wait for one compiler
        if not library.exists():
            _compile(text, defines, library)
    return library


def _compile(text: str, defines: tuple[str, ...], library: Path) -> None:
    source, made = library.with_suffix(".cpp"), library.with_suffix(".part")
    source.write_text(text, encoding="utf-8")
    command = [cast(str, COMPILER), *OPTIONS, *(f"-D{d}" for d in defines), str(source), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made.rename(library)
