"""Several pictures as one, with captions. The specification is `..api.Kernels`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import Picture

CAPTION_SHARE = 0.05  # caption height as a share of a picture's height
DARKER = 3  # a plate has the picture's levels divided by this


def tiled(rows: Sequence[Sequence[Picture]]) -> Picture:
    return np.vstack([np.hstack(row) for row in rows])


def captioned(picture: Picture, text: str) -> Picture:
    out, lettering = picture.copy(), caption(text, picture.shape[0], picture.shape[1])
    if lettering is None:
        return out
    plate = out[: lettering.shape[0], : lettering.shape[1]]
    plate //= DARKER
    _write(plate, text, picture.shape[0])
    return out


def caption(text: str, height: int, width: int) -> NDArray[np.uint8] | None:
    """The plate of a picture so high and wide, `h' w'`: 255 where the letters cover it; None where it has no room."""
    scale, margin = _sizes(height)
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    if wide + 2 * margin > width:
        return None
    plate = np.zeros((min(high + below + 2 * margin, height), wide + 2 * margin), np.uint8)
    _write(plate, text, height)
    return plate


def _write(plate: NDArray[np.uint8], text: str, height: int) -> None:
    scale, margin = _sizes(height)
    (_, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    white = (255,) * 3
    cv2.putText(plate, text, (margin, margin + high), cv2.FONT_HERSHEY_SIMPLEX, scale, white, 1, cv2.LINE_AA)


def _sizes(height: int) -> tuple[float, int]:
    """The font's scale, and the margin around the text in pixels."""
    scale = height * CAPTION_SHARE / 22.0  # the font is 22 px high at scale 1
    return scale, max(2, round(6 * scale))
