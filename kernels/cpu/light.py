"""sRGB and linear light (IEC 61966-2-1), through tables."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import Picture

Light = NDArray[np.float32]  # c h w: linear light in [0, 1]; a fourth channel is coverage, the first three times it
Levels = NDArray[np.uint16]  # linear light, 65535 = 1

_LEVELS = 65535.0  # of linear light: twenty to the step from black to the darkest grey


def _decoded(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


_TO_LIGHT = _decoded(np.arange(256) / 255.0).astype(np.float32)
_TO_SRGB = np.rint(255.0 * _encoded(np.arange(65536) / _LEVELS)).astype(np.uint8)


def light_of(grey: NDArray[np.uint8]) -> Light:
    """sRGB → linear light, any shape."""
    return cast(Light, cv2.LUT(grey.reshape(-1, grey.shape[-1]), _TO_LIGHT)).reshape(grey.shape)


def srgb_of(light: Light) -> NDArray[np.uint8]:
    """Linear light → sRGB, any shape; what `light_of` gave comes back exactly. Above 1 is white."""
    return encoded(levels_of(light))


def levels_of(light: Light) -> Levels:
    """Linear light on 65,536 levels."""
    flat = light.reshape(-1, light.shape[-1])
    # addWeighted rounds and saturates in one pass.
    return cast(Levels, cv2.addWeighted(flat, _LEVELS, flat, 0.0, 0.0, dtype=cv2.CV_16U)).reshape(light.shape)


def encoded(levels: Levels) -> NDArray[np.uint8]:
    """Levels of linear light → sRGB."""
    if not _WIDE_TABLES:
        return np.take(_TO_SRGB, levels)
    flat = levels.reshape(-1, levels.shape[-1])
    return cast(NDArray[np.uint8], cv2.LUT(flat, _TO_SRGB)).reshape(levels.shape)


def to_light(picture: Picture) -> Light:
    """`h w 3` sRGB as `3 h w` linear light."""
    return np.stack([light_of(cast(NDArray[np.uint8], grey)) for grey in cv2.split(picture)])


def _has_wide_tables() -> bool:
    """Whether this OpenCV looks up 16-bit values (5.0 does)."""
    try:
        cv2.LUT(np.zeros((1, 1), np.uint16), _TO_SRGB)
    except cv2.error:
        return False
    return True


_WIDE_TABLES = _has_wide_tables()
