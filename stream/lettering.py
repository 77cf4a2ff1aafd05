"""Text and plates for overlays: drawn once, kept as masks, and laid over a picture where they are wanted.

OpenCV 5 letters with a proper font where OpenCV 4 has strokes; both know ASCII only for sure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.api import Picture

Colour: TypeAlias = tuple[int, int, int]  # BGR
Mask: TypeAlias = NDArray[np.uint8]  # h w, 255 = covered

WHITE: Colour = (255, 255, 255)
DIM: Colour = (190, 186, 182)
DARK: Colour = (22, 20, 18)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PX_AT_SCALE_1 = 30
ASCENT, DESCENT = 0.86, 0.3  # of the text's size
_SMOOTH = 4  # plates are drawn so many times larger, for soft edges


def line_height(size_px: int) -> int:
    """Of a line of text without space around it."""
    return round(size_px * ASCENT) + round(size_px * DESCENT)


def text_width(text: str, size_px: int) -> int:
    return text_mask(text, size_px).shape[1]


@lru_cache(maxsize=512)
def text_mask(text: str, size_px: int, bold: bool = False) -> Mask:
    """One line of text, `line_height` high; a space around it is not included."""
    scale = size_px / _PX_AT_SCALE_1
    thickness = max(1, round(size_px / 24)) + bold
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, thickness)
    mask = np.zeros((line_height(size_px), max(1, width)), np.uint8)
    cv2.putText(mask, text, (0, round(size_px * ASCENT)), _FONT, scale, (255,), thickness, cv2.LINE_AA)
    return mask


@lru_cache(maxsize=64)
def plate_mask(width: int, height: int, radius: int) -> Mask:
    """A rectangle with round corners."""
    large = np.zeros((height * _SMOOTH, width * _SMOOTH), np.uint8)
    r = min(radius, width // 2, height // 2) * _SMOOTH
    bottom, right = large.shape[0] - 1, large.shape[1] - 1
    cv2.rectangle(large, (r, 0), (right - r, bottom), (255,), cv2.FILLED)
    cv2.rectangle(large, (0, r), (right, bottom - r), (255,), cv2.FILLED)
    for x in (r, right - r):
        for y in (r, bottom - r):
            cv2.circle(large, (x, y), r, (255,), cv2.FILLED)
    return cast(Mask, cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA))


def lay(picture: Picture, mask: Mask, x: int, y: int, colour: Colour, opacity: float = 1.0) -> None:
    """Colour `picture` (BGR) in place where `mask`, with its top left corner at (x, y), covers it; cut at its edges."""
    top, left = max(0, y), max(0, x)
    part = picture[top : max(0, y + mask.shape[0]), left : max(0, x + mask.shape[1])]
    if part.size == 0:
        return
    seen = mask[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1], None]
    weight = seen.astype(np.float32) * (opacity / 255.0)
    part += ((np.array(colour, np.float32) - part) * weight).round().astype(np.int16).astype(np.uint8)


def write(
    picture: Picture, text: str, x: int, y: int, size_px: int, colour: Colour = WHITE, opacity: float = 1.0
) -> int:
    """Text with its top left corner at (x, y); where it ends."""
    mask = text_mask(text, size_px)
    lay(picture, mask, x, y, colour, opacity)
    return x + mask.shape[1]


def plate(picture: Picture, x: int, y: int, width: int, height: int, opacity: float = 0.62) -> None:
    """A dark plate on which text is readable over any picture."""
    lay(picture, plate_mask(width, height, max(3, min(10, height // 3))), x, y, DARK, opacity)


def shortened(text: str, size_px: int, width: int) -> str:
    """The text, or as much of its two ends as fits."""
    if text_width(text, size_px) <= width:
        return text
    for kept in range(len(text) - 1, 3, -1):
        short = f"{text[: kept // 2]}...{text[len(text) - (kept - kept // 2) :]}"
        if text_width(short, size_px) <= width:
            return short
    return text[:3]
