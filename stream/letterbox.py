"""Pictures of any size in a frame whose size is fixed."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from ..kernels.api import Picture


def even_hw(size_hw: tuple[int, int]) -> tuple[int, int]:
    """The size without its odd row and column, as halved chroma needs it; 2 at least."""
    height, width = size_hw
    return max(2, height - height % 2), max(2, width - width % 2)


def fitted(picture: Picture, size_hw: tuple[int, int]) -> Picture:
    """`h w 3` uint8 → the picture as large as it fits into `size_hw`, on black. An odd row or column is cut off."""
    if even_hw(picture.shape[:2]) == size_hw:
        return np.ascontiguousarray(picture[: size_hw[0], : size_hw[1]])
    (height, width), (full_height, full_width) = picture.shape[:2], size_hw
    scale = min(full_height / height, full_width / width)
    inner_hw = max(1, round(height * scale)), max(1, round(width * scale))
    way = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    out = np.zeros((full_height, full_width, 3), np.uint8)
    top, left = (full_height - inner_hw[0]) // 2, (full_width - inner_hw[1]) // 2
    inner = cast(Picture, cv2.resize(picture, inner_hw[::-1], interpolation=way))
    out[top : top + inner_hw[0], left : left + inner_hw[1]] = inner
    return out


class FixedSize:
    """Keeps a stream at the size of its first picture, made even."""

    def __init__(self) -> None:
        self.size_hw: tuple[int, int] | None = None

    def __call__(self, picture: Picture) -> Picture:
        self.size_hw = self.size_hw or even_hw((picture.shape[0], picture.shape[1]))
        return fitted(picture, self.size_hw)
