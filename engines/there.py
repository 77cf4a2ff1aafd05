"""Pictures and depth that stay on a GPU on their way through an engine.

An engine takes a `PictureThere` in place of a picture. One that computes on the same GPU gives a `DepthThere`; one of
the CPU sees the picture at the net's size in main memory, a few hundred kB, and gives its depth as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, cast, runtime_checkable

import cv2

from ..kernels.api import InverseDepth, Picture
from ..kernels.cuda import CudaKernels
from ..kernels.cuda.launch import DeviceArray
from .api import Engine


@dataclass(frozen=True, slots=True, repr=False)
class PictureThere:
    """`h w 3` uint8 on a GPU."""

    array: DeviceArray
    kernels: CudaKernels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def shrunk(self, size_hw: tuple[int, int]) -> DeviceArray:
        """At the net's size, as `shape.shrunk_to` makes it; one that is to grow is made in main memory."""
        if self.shape[:2] == size_hw:
            return self.array
        if self._grows_to(size_hw):
            return self.kernels.upload(self.here(size_hw))
        return self.kernels.shrink_exactly(self.array, size_hw)

    def here(self, size_hw: tuple[int, int]) -> Picture:
        """The same in main memory; waits for the GPU."""
        if self._grows_to(size_hw):
            small = self.kernels.download(self.array)
            return cast(Picture, cv2.resize(small, size_hw[::-1], interpolation=cv2.INTER_AREA))
        return self.kernels.download(self.shrunk(size_hw))

    def _grows_to(self, size_hw: tuple[int, int]) -> bool:
        return size_hw[0] > self.shape[0] or size_hw[1] > self.shape[1]

    def tensor(self, size_hw: tuple[int, int]) -> Any:
        """The same as PyTorch's, in the same memory."""
        return self.kernels.launcher.to_torch(self.shrunk(size_hw))

    def depth(self, tensor: Any) -> InverseDepth:
        """What an engine gives whose depth, `h w` float32, is a tensor."""
        return cast(InverseDepth, DepthThere(self.kernels.launcher.of_torch(tensor)))


@dataclass(frozen=True, slots=True, repr=False)
class DepthThere:
    """`h w` float32 on a GPU, until the engine's next picture."""

    array: DeviceArray


@runtime_checkable
class TensorNet(Protocol):
    """A net that also takes a picture of its size as a tensor, on the current stream, and waits for nothing."""

    def there(self, picture: Any) -> Any:
        """`h w 3` uint8 to `h w` float32, which the next call overwrites."""
        ...


@runtime_checkable
class PlacedNet(Protocol):
    """A net that may take pictures where they are, without PyTorch."""

    def in_place(self, picture: PictureThere) -> DepthThere | None:
        """None: it wants them in main memory."""
        ...


def is_there(picture: Any, torch_device: str) -> TypeGuard[PictureThere]:
    """Whether a picture is in the memory of PyTorch's device."""
    return isinstance(picture, PictureThere) and picture.kernels.launcher.torch_device == torch_device


class EngineThere:
    """An engine whose pictures and depth are arrays on a GPU, wherever it computes. Not thread-safe."""

    def __init__(self, engine: Engine, kernels: CudaKernels) -> None:
        self._engine, self._kernels = engine, kernels

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def detail(self) -> str:
        return self._engine.detail

    def infer(self, picture: Picture) -> InverseDepth:
        """Both are on the GPU. The depth is to be copied before the next call. Raises EngineError."""
        given: Any = picture
        depth: Any = self._engine.infer(cast(Picture, PictureThere(given, self._kernels)))
        there = depth.array if isinstance(depth, DepthThere) else self._kernels.upload(depth)
        return cast(InverseDepth, there)
