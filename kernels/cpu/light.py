"""sRGB and linear light (IEC 61966-2-1), through tables."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import Picture

Light = NDArray[np.float32]  # c h w: linear light in [0, 1]; a fourth channel is coverage, the first three times it

_STEPS = 4095  # of the square root of light: fine steps where the eye sees them, 0.08 of a grey level at most


def _decoded(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


_TO_LIGHT = _decoded(np.arange(256) / 255.0).astype(np.float32)
_TO_SRGB = np.rint(255.0 * _encoded((np.arange(_STEPS + 1) / _STEPS) ** 2)).astype(np.uint8)


def to_light(picture: Picture) -> Light:
    """`h w 3` sRGB as `3 h w` linear light."""
    out = np.empty((3, *picture.shape[:2]), np.float32)
    for index, grey in enumerate(cv2.split(picture)):
        cv2.LUT(grey, _TO_LIGHT, dst=_plane(out, index))
    return out


def _plane(light: Light, index: int) -> Light:
    """One channel, `h w`, as a view."""
    return cast(Light, light[index])


def to_srgb(light: Light) -> Picture:
    """`3 h w` linear light as `h w 3` sRGB; what `to_light` gave comes back exactly. Destroys its input."""
    channels: list[NDArray[np.uint8]] = []
    for index in range(len(light)):
        channel = _plane(light, index)
        np.maximum(channel, 0.0, out=channel)
        cv2.sqrt(channel, dst=channel)
        channel *= np.float32(_STEPS)
        channel += np.float32(0.5)
        channels.append(np.take(_TO_SRGB, channel.astype(np.uint16), mode="clip"))
    return cast(Picture, cv2.merge(channels))
