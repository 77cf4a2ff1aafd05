"""The seam between the kernels' Python side and what runs them: a GPU through CuPy, or, in tests, the CPU.

The `.cu` files hold kernels without barriers, shared memory or warp intrinsics: each thread makes one value. So the
same text also runs as plain C++, thread after thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import InputError

Shape = tuple[int, ...]
Size = tuple[int, int, int]

_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"$', re.MULTILINE)


class DeviceArray(Protocol):
    """An array where the kernels run: CuPy's, or NumPy's in tests. C-contiguous."""

    @property
    def shape(self) -> Shape: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...


# What a kernel takes: arrays as pointers, int as int, float as float, a structured NumPy array of one item as a struct.
Argument: TypeAlias = "DeviceArray | NDArray[Any] | int | float"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel by its name in a `.cu` file. defines: macros that the file is compiled with."""

    file: str
    name: str
    defines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.file.endswith(".cu"):
            raise ValueError(f"got file {self.file!r}; expected a .cu file")


class Branch(Protocol):
    """A stream of its own for another library, whose work has its turn among the caller's."""

    @property
    def handle(self) -> int:
        """Its `cudaStream_t`."""
        ...

    def turn(self, callers: Launcher) -> AbstractContextManager[None]:
        """What the library queues within comes after all that the caller has queued, and before all that comes later.

        callers: whose queue that is. The card sees to it; nobody waits.
        """
        ...


class Recordable(Protocol):
    """What a function of this package asks of a GPU: to launch, by what it was given, and never to send or to wait.

    So what it does can be recorded.
    """

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        """Memory with anything in it."""
        ...

    def zeros(self, shape: Shape, dtype: DTypeLike) -> DeviceArray: ...

    def copy(self, array: DeviceArray) -> DeviceArray: ...

    def table(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> DeviceArray:
        """A constant that is made and uploaded once. `key` names it among all tables."""
        ...

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        """Run a kernel with at least one thread for each of extent x, or x × y, or x × y × z."""
        ...


class Launcher(Recordable, Protocol):
    """What runs kernels. All work goes to one stream in order; only `download` waits for it."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """`function(launcher, *arguments)`, or, where work is recorded, what it will give.

        function: takes a `Recordable`, arrays, and what is hashable; gives an array, or a tuple of arrays.
        """
        ...

    def overwrite(self, to: DeviceArray, array: DeviceArray) -> None:
        """Copy to one of the same shape and type."""
        ...

    def upload(self, values: NDArray[Any]) -> DeviceArray:
        """A copy there."""
        ...

    def download(self, array: DeviceArray) -> NDArray[Any]:
        """A copy here; waits until it is computed."""
        ...

    def paste(self, plane: Any, to: DeviceArray, row: int) -> None:
        """Copy a plane of another library, whose rows may have a pitch (DLPack), to `to`, `h w`, from `row` on.

        The GPU waits for what its default stream has been given until now: FFmpeg writes there.
        """
        ...

    def at_once(self) -> AbstractContextManager[Any]:
        """What is called within is launched at once where it would be recorded, as is all that was recorded before."""
        ...

    def queue(self) -> AbstractContextManager[Any]:
        """What is called within goes to the stream of the caller's library, which it gives."""
        ...

    @property
    def torch_device(self) -> str:
        """Where PyTorch has tensors in the same memory."""
        ...

    @property
    def device_id(self) -> int:
        """CUDA's number of the GPU that the arrays are on; 0 in main memory."""
        ...

    def address(self, array: DeviceArray) -> int:
        """Where its memory begins, for libraries that take pointers."""
        ...

    def branch(self) -> Branch:
        """A new one; it is to be kept for as long as the library may use its stream."""
        ...

    def of_torch(self, tensor: Any) -> DeviceArray:
        """A tensor's memory as an array, not copied."""
        ...

    def to_torch(self, array: DeviceArray) -> Any:
        """An array's memory as a tensor, not copied."""
        ...


def expect(what: str, array: DeviceArray, axes: str, *kinds: DTypeLike) -> None:
    """Raise InputError unless an array has these axes (a number is a length) and one of these dtypes.

    A kernel would read other memory as if it had.
    """
    names = axes.split()
    fits = len(names) == len(array.shape) and all(
        length == int(name) for name, length in zip(names, array.shape) if name.isdigit()
    )
    if not fits or not any(array.dtype == np.dtype(kind) for kind in kinds):
        wanted = " or ".join(np.dtype(kind).name for kind in kinds)
        raise InputError(f"got {what} of shape {array.shape}, {array.dtype}; expected {axes}, {wanted}")


def grid_of(extent: Shape) -> tuple[Size, Size]:
    """Blocks, and threads in one, that cover an extent of x[, y[, z]]."""
    x, y, z = (*extent, 1, 1)[:3]
    block = (32, 8, 1) if y > 1 else (128, 1, 1)
    return (-(-x // block[0]), -(-y // block[1]), z), block


def scalar(argument: Argument) -> Any:
    """As the kernel's parameter has it: int is 32 bits wide, and so is float."""
    if isinstance(argument, int | np.integer):
        return np.int32(argument)
    return np.float32(argument) if isinstance(argument, float | np.floating) else argument


@lru_cache(maxsize=64)
def source_of(file: str) -> str:
    """The text of a `.cu` file with what it includes, each once."""
    folder, held = resources.files(__package__ or ""), set[str]()

    def expanded(name: str) -> str:
        if name in held:
            return ""
        held.add(name)
        return _INCLUDE.sub(lambda found: expanded(found[1]), folder.joinpath(name).read_text(encoding="utf-8"))

    return expanded(file).replace("#pragma once\n", "")


def files() -> list[str]:
    """All `.cu` files of this package."""
    return sorted(item.name for item in resources.files(__package__ or "").iterdir() if item.name.endswith(".cu"))
