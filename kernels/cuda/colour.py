"""Pictures and frames of a decoder to and from what nets and encoders take. Beyond `...api.Kernels`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .launch import DeviceArray, Kernel, Recordable

# The shares of red and blue in luma: BT.601-7, BT.709-6, BT.2020-2.
LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}

_MATRIX = np.dtype([("row", np.float32, (3, 4))])
_YUV = np.dtype([(name, np.int32) for name in ("height", "width", "pitch", "planar")])
_NORMAL = np.dtype([("scale", np.float32, 3), ("offset", np.float32, 3)])

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class YuvSystem:
    """What 8-bit luma and chroma stand for. full_range: luma has 0–255; else 16–235, and chroma 16–240."""

    matrix: Literal["bt601", "bt709", "bt2020"] = "bt709"
    full_range: bool = False

    def __post_init__(self) -> None:
        if self.matrix not in LUMA:
            raise InputError(f"got YUV matrix {self.matrix!r}; expected one of {', '.join(LUMA)}")

    def from_rgb(self) -> NDArray[np.float64]:
        """3 × 4: codes of Y, U and V from those of R, G and B and 1."""
        red, blue = LUMA[self.matrix]
        luma = np.array([red, 1.0 - red - blue, blue])
        u, v = (
            (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 - 2.0 * blue),
            (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 - 2.0 * red),
        )
        black, white, chroma = (0.0, 255.0, 255.0) if self.full_range else (16.0, 235.0, 224.0)
        scale = np.array([white - black, chroma, chroma])[:, None] / 255.0
        return np.hstack((np.stack((luma, u, v)) * scale, np.array([[black], [128.0], [128.0]])))

    def to_rgb(self) -> NDArray[np.float64]:
        """3 × 4: the inverse."""
        forth = self.from_rgb()
        back = np.linalg.inv(forth[:, :3])
        return np.hstack((back, -back @ forth[:, 3:])).astype(np.float64)


@dataclass(frozen=True, slots=True)
class YuvLayout:
    """Of a frame, `3h/2 pitch` uint8: luma, below it chroma; U and V in turn (NV12) or, if planar, each by itself."""

    height: int
    width: int
    planar: bool = False

    def __post_init__(self) -> None:
        if self.height % 2 or self.width % 2 or min(self.height, self.width) < 2:
            raise InputError(f"got a 4:2:0 frame of {self.width}×{self.height}; expected even sides")

    def struct(self, frame: DeviceArray) -> NDArray[Any]:
        """The struct `Yuv` of `yuv.cuh`. Raises InputError where `frame` cannot have this layout."""
        rows, pitch = frame.shape
        if rows != self.height * 3 // 2 or pitch < self.width or frame.dtype != np.uint8 or pitch % 2:
            raise InputError(f"got a frame of {rows} rows of {pitch} {frame.dtype}; expected {self.height * 3 // 2} "
                             f"rows of {self.width} uint8 or more, an even number")  # fmt: skip
        return np.array([(self.height, self.width, pitch, self.planar)], _YUV)


def from_yuv(
    gpu: Recordable, frame: DeviceArray, layout: YuvLayout, system: YuvSystem, out: DeviceArray | None = None
) -> DeviceArray:
    """A decoder's frame as RGB, `h w 3` uint8; chroma bilinear. out: the array to write it to."""
    if out is None:
        out = gpu.empty((layout.height, layout.width, 3), np.uint8)
    extent = layout.width, layout.height
    gpu.launch(Kernel("yuv.cu", "rgb_of_yuv"), extent, frame, layout.struct(frame), _matrix(system.to_rgb()), out)
    return out


def to_nv12(gpu: Recordable, picture: DeviceArray, system: YuvSystem, multiple: int = 1) -> DeviceArray:
    """RGB, `h w 3` uint8, as NV12, `3h/2 pitch`, for an encoder. multiple: the pitch is one of it, not below w."""
    layout = YuvLayout(picture.shape[0], picture.shape[1])
    pitch = -(-layout.width // multiple) * multiple
    out = gpu.empty((layout.height * 3 // 2, pitch), np.uint8)
    extent = layout.width // 2, layout.height // 2
    gpu.launch(Kernel("yuv.cu", "yuv_of_rgb"), extent, picture, layout.struct(out), _matrix(system.from_rgb()), out)
    return out


def net_input(
    gpu: Recordable, picture: DeviceArray, size_hw: tuple[int, int], mean: Channels, std: Channels
) -> DeviceArray:
    """A picture for a net: `3 h w` float16, (RGB in [0, 1] − mean) / std, by means of the pixels under each."""
    out = gpu.empty((3, *size_hw), np.float16)
    high, wide = picture.shape[:2]
    gpu.launch(Kernel("net_input.cu", "of_rgb"), size_hw[::-1], picture, high, wide, _normal(mean, std), out, *size_hw)
    return out


def net_input_of_yuv(
    gpu: Recordable, frame: DeviceArray, layout: YuvLayout, system: YuvSystem, size_hw: tuple[int, int],
    mean: Channels, std: Channels,
) -> DeviceArray:  # fmt: skip
    """As `net_input`, of a decoder's frame, in one pass."""
    out = gpu.empty((3, *size_hw), np.float16)
    structs = layout.struct(frame), _matrix(system.to_rgb()), _normal(mean, std)
    gpu.launch(Kernel("net_input.cu", "of_yuv"), size_hw[::-1], frame, *structs, out, *size_hw)
    return out


def _matrix(rows: NDArray[np.float64]) -> NDArray[Any]:
    out = np.zeros(1, _MATRIX)
    out["row"][0] = rows
    return out


def _normal(mean: Channels, std: Channels) -> NDArray[Any]:
    out = np.zeros(1, _NORMAL)
    out["scale"][0] = 1.0 / (255.0 * np.array(std))
    out["offset"][0] = -np.array(mean) / np.array(std)
    return out
