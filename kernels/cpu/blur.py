"""Blur of one plane: a disc (a lens wide open), a polygon (one stopped down) or a Gaussian.

The cost hardly grows with the radius: above LARGEST_RADIUS_PX the plane is halved first, for the blur
has no finer detail to lose.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import RefocusStyle
from .grids import halved, resized
from .light import Light

LARGEST_RADIUS_PX = 5.0  # OpenCV turns to slower transforms for kernels above 11 × 11
SMALLEST_RADIUS_PX = 0.25
HALVING_RADIUS_PX = 2.0  # averaging 2 × 2 and interpolating back blurs by itself, with the variance of this circle
SUBPIXELS = 8


def blur(stack: Light, radius_px: float, style: RefocusStyle) -> Light:
    """`c h w`, blurred by a circle of confusion of `radius_px`; energy is kept, the border is mirrored."""
    if radius_px < SMALLEST_RADIUS_PX:
        return stack
    height, width = stack.shape[1:]
    if radius_px > LARGEST_RADIUS_PX and min(height, width) >= 4:
        rest_px = (radius_px**2 - HALVING_RADIUS_PX**2) ** 0.5
        return resized(blur(halved(stack), rest_px / 2.0, style), (height, width))
    out = np.empty_like(stack)
    for source, target in zip(stack, out, strict=True):
        if style.shape == "gaussian":
            # A disc of radius r has the standard deviation r / 2 along each axis.
            cv2.GaussianBlur(source, (0, 0), radius_px / 2.0, dst=target, borderType=cv2.BORDER_REFLECT)
        else:
            kernel = aperture(round(radius_px * 16.0), style.corners, style.rotation)
            cv2.filter2D(source, -1, kernel, dst=target, borderType=cv2.BORDER_REFLECT)
    return out


def rest_radius(radius_px: float, scale: int) -> float:
    """The radius still to be blurred by, in cells, after means of `scale` × `scale` pixels that will be enlarged."""
    own = HALVING_RADIUS_PX**2 * (scale**2 - 1) / 3.0  # `scale` = 2 is one halving, 4 is two …
    return max(radius_px**2 - own, 0.0) ** 0.5 / scale


@lru_cache(maxsize=256)
def aperture(sixteenths: int, corners: int = 0, rotation: float = 0.0) -> NDArray[np.float32]:
    """The image of a point of light: a disc, or a regular polygon of `corners`, with anti-aliased rim and sum 1.

    Its second moment is that of an ideal disc of radius `sixteenths` / 16 px. rotation: degrees.
    """
    # A pixel's own square has the variance 1/12, a disc r²/4.
    radius = max(0.25, (sixteenths / 16.0) ** 2 - 1.0 / 3.0) ** 0.5
    reach = int(np.ceil(radius * corner(corners)))
    fine = (np.arange((2 * reach + 1) * SUBPIXELS) + 0.5) / SUBPIXELS - reach - 0.5
    x, y = fine[None, :], fine[:, None]
    distance = np.hypot(x, y)
    if corners:
        sector = 2.0 * np.pi / corners
        turned = (np.arctan2(y, x) - np.deg2rad(rotation)) % sector - sector / 2.0
        distance = distance * np.cos(turned) / np.cos(sector / 2.0) / corner(corners)
    inside = (distance <= radius).astype(np.float32)
    size = 2 * reach + 1
    kernel = inside.reshape(size, SUBPIXELS, size, SUBPIXELS).mean(axis=(1, 3))
    return kernel / kernel.sum()


def corner(corners: int) -> float:
    """How far the corners of a polygon lie out that has the second moment of a disc of radius 1."""
    # Along an axis that of a disc is 1/4, and of a regular n-gon of circumradius 1 (2 + cos 2π/n) / 12.
    return 1.0 if not corners else float((3.0 / (2.0 + np.cos(2.0 * np.pi / corners))) ** 0.5)
