"""A decoder's frames as they come to the card, in 8-bit 4:2:0: from GPU memory, or half as large as RGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..api import Picture
from ..errors import InputError
from .colour import YuvLayout, YuvSystem


class DlpackPlane(Protocol):
    """A plane of uint8 in GPU memory, as DLPack hands it over. Rows may have a pitch.

    `__dlpack__(stream=…)` makes that CUDA stream wait for whatever still writes the plane, but for what the default
    stream does: `Launcher.paste` waits for that.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __dlpack__(self, *, stream: Any = None) -> Any: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...


class _LikeRgb:
    """What stands for `h w 3` uint8 without being it."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        return 3

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        return np.dtype(np.uint8)


@dataclass(frozen=True, slots=True, repr=False)
class DevicePicture(_LikeRgb):
    """One 8-bit 4:2:0 picture as NVDEC gives it (NV12); takes the place of a `Frame`'s picture, `h w 3` uint8.

    luma: `h w`. chroma: `h/2 w`, U and V in turn, or `h/2 w/2 2`. system: what its numbers stand for. The planes are
    read until the card has its own copy, made when the frame reaches it; the object keeps them alive until then. Raises
    InputError for odd sides and planes that do not belong together.
    """

    luma: DlpackPlane
    chroma: DlpackPlane
    system: YuvSystem = YuvSystem()  # noqa: RUF009 - it is frozen

    def __post_init__(self) -> None:
        luma, chroma = self.luma.shape, self.chroma.shape
        high, wide = luma if len(luma) == 2 else (0, 0)
        if min(high, wide) < 2 or high % 2 or wide % 2 or chroma not in ((high // 2, wide), (high // 2, wide // 2, 2)):
            raise InputError(f"got planes of {luma} and {chroma}; expected luma h w, chroma h/2 w, even sides")

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.luma.shape[0], self.luma.shape[1], 3

    def __repr__(self) -> str:
        return f"DevicePicture({self.luma.shape[1]}×{self.luma.shape[0]} NV12, {self.system})"


@dataclass(frozen=True, slots=True)
class SpentPicture(_LikeRgb):
    """What a frame keeps of a `DevicePicture` that the card copies: its size, and none of the decoder's memory."""

    shape: tuple[int, int, int]


@dataclass(frozen=True, slots=True, repr=False)
class HostYuv(_LikeRgb):
    """One picture in main memory; takes the place of a `Frame`'s picture as `DevicePicture` does.

    planes: `3h/2 w` uint8, laid out as `layout` says. rgb: gives the same as RGB, for who looks at it in main memory.
    """

    planes: NDArray[np.uint8]
    layout: YuvLayout
    system: YuvSystem
    rgb: Callable[[], Picture]

    def __post_init__(self) -> None:
        wanted = self.layout.height * 3 // 2, self.layout.width
        if self.planes.shape != wanted or self.planes.dtype != np.uint8:
            raise InputError(f"got planes of {self.planes.shape} {self.planes.dtype}; expected {wanted} uint8")

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.layout.height, self.layout.width, 3
