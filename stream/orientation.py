"""How a coded picture must be turned to stand upright, from a container's display matrix."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from ..kernels.api import AnyPicture


@dataclass(frozen=True, slots=True)
class Orientation:
    """Transpose first, then mirror. Covers the eight turns by quarters; other angles are left as coded."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def from_matrix(cls, matrix: tuple[int, ...]) -> Orientation:
        """From FFmpeg's nine integers: x' = a·x + c·y, y' = b·x + d·y (libavutil/display.h)."""
        a, b, _, c, d = matrix[:5]
        if b == 0 and c == 0:
            return cls(False, a < 0, d < 0)
        if a == 0 and d == 0:
            return cls(True, c < 0, b < 0)
        return cls()

    def upright(self, coded: AnyPicture) -> AnyPicture:
        """The picture, or its alpha, as it is to be seen."""
        out = coded.swapaxes(0, 1) if self.transpose else coded
        return self._mirrored(out)

    def coded(self, upright: AnyPicture) -> AnyPicture:
        """The inverse of `upright`."""
        out = self._mirrored(upright)
        return np.ascontiguousarray(out.swapaxes(0, 1)) if self.transpose else out

    def upright_hw(self, coded_hw: tuple[int, int]) -> tuple[int, int]:
        """The size of the upright picture."""
        height, width = coded_hw
        return (width, height) if self.transpose else (height, width)

    def _mirrored(self, picture: AnyPicture) -> AnyPicture:
        out = picture[:, ::-1] if self.mirror_x else picture
        out = out[::-1] if self.mirror_y else out
        return np.ascontiguousarray(out)


def parse_matrix(data: bytes) -> tuple[int, ...]:
    """The nine 32-bit integers of a display-matrix side datum."""
    return struct.unpack("=9i", data[:36])
