"""Pictures of any size in a frame whose size is fixed, undistorted, with black bars where they do not reach."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np

from ..kernels.api import AnyPicture, Picture

P = TypeVar("P", bound=AnyPicture)


def fitted(picture: P, size_hw: tuple[int, int]) -> P:
    """`h w 3` of any type, as large as `size_hw` allows, in its middle; the same picture when it has that size."""
    height, width = picture.shape[:2]
    if (height, width) == size_hw:
        return picture
    scale = min(size_hw[0] / height, size_hw[1] / width)
    inner_hw = max(1, round(height * scale)), max(1, round(width * scale))
    way = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    out = np.zeros((*size_hw, 3), picture.dtype)
    top, left = (size_hw[0] - inner_hw[0]) // 2, (size_hw[1] - inner_hw[1]) // 2
    inside = out[top : top + inner_hw[0], left : left + inner_hw[1]]
    inside[:] = cv2.resize(picture, inner_hw[::-1], interpolation=way)
    return cast(P, out)


def even_hw(size_hw: tuple[int, int]) -> tuple[int, int]:
    """The size without its odd row and column, as halved chroma needs it; 2 at least."""
    height, width = size_hw
    return max(2, height - height % 2), max(2, width - width % 2)


class FixedSize:
    """Keeps a stream at the size of its first picture, made even: an odd row or column of a picture is cut off."""

    def __init__(self) -> None:
        self.size_hw: tuple[int, int] | None = None

    def __call__(self, picture: Picture) -> Picture:
        """`h w 3` uint8 → the same, of `size_hw`."""
        own_hw = even_hw((picture.shape[0], picture.shape[1]))
        self.size_hw = self.size_hw or own_hw
        if own_hw == self.size_hw:
            return np.ascontiguousarray(picture[: own_hw[0], : own_hw[1]])
        return fitted(picture, self.size_hw)
