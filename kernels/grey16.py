"""Inverse depth as 16-bit grey: 65535 is 1.0."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .api import InverseDepth

FULL = 65535.0


def to_grey16(inverse_depth: InverseDepth) -> NDArray[np.uint16]:
    """The nearest of 65,536 levels; values outside [0, 1] are clipped."""
    # addWeighted rounds and saturates in one pass.
    grey = cv2.addWeighted(inverse_depth, FULL, inverse_depth, 0.0, 0.0, dtype=cv2.CV_16U)
    return cast(NDArray[np.uint16], grey)


def from_grey16(grey: NDArray[np.number]) -> InverseDepth:
    """The inverse of `to_grey16`, exact to half a level."""
    return np.multiply(grey, np.float32(1.0 / FULL), dtype=np.float32)
