"""A picture fitted into a frame of another size, whole and undistorted, with black bars where it does not reach."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np

from ..kernels.api import AnyPicture

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
