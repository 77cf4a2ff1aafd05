"""Blur of one layer: a disc (a lens wide open) or a Gaussian, at a cost that hardly grows with the radius."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import KernelShape

LARGEST_RADIUS_PX = 4.0  # above this the layer is halved first: the blur has no finer detail to lose
SMALLEST_RADIUS_PX = 0.25
HALVING_RADIUS_PX = 2.0  # averaging 2 × 2 and interpolating back blurs by itself, with the variance of this circle

Planes = NDArray[np.float32]


def blur(planes: Planes, radius_px: float, shape: KernelShape) -> Planes:
    """`h w c` float32, blurred by a circle of `radius_px`; energy is kept, the border is mirrored."""
    if radius_px < SMALLEST_RADIUS_PX:
        return planes
    height, width = planes.shape[:2]
    if radius_px > LARGEST_RADIUS_PX and min(height, width) >= 4:
        half = cv2.resize(planes, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
        rest_px = (radius_px**2 - HALVING_RADIUS_PX**2) ** 0.5
        smaller = blur(cast(Planes, half), rest_px / 2.0, shape)
        return cast(Planes, cv2.resize(smaller, (width, height), interpolation=cv2.INTER_LINEAR))
    if shape == "gaussian":
        # A disc of radius r has the standard deviation r / 2 along each axis.
        return cast(Planes, cv2.GaussianBlur(planes, (0, 0), radius_px / 2.0, borderType=cv2.BORDER_REFLECT))
    kernel = _disc(round(radius_px * 16.0))
    return cast(Planes, cv2.filter2D(planes, -1, kernel, borderType=cv2.BORDER_REFLECT))


@lru_cache(maxsize=128)
def _disc(sixteenths: int) -> NDArray[np.float32]:
    """A disc of radius `sixteenths` / 16 px with anti-aliased rim, sum 1, of the second moment of the ideal one."""
    # A pixel's own square has the variance 1/12, a disc r²/4.
    radius = max(0.25, (sixteenths / 16.0) ** 2 - 1.0 / 3.0) ** 0.5
    reach = int(np.ceil(radius))
    fine = (np.arange((2 * reach + 1) * 8) + 0.5) / 8.0 - reach - 0.5  # 8 × 8 samples a pixel
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2).astype(np.float32)
    size = 2 * reach + 1
    kernel = inside.reshape(size, 8, size, 8).mean(axis=(1, 3))
    return kernel / kernel.sum()
