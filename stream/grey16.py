"""Inverse depth as 16-bit grey: 65535 is 1.0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels.api import InverseDepth

FULL = 65535.0


def to_grey16(inverse_depth: InverseDepth) -> NDArray[np.uint16]:
    """The nearest of 65,536 levels; values outside [0, 1] are clipped."""
    return np.round(np.clip(inverse_depth, 0.0, 1.0) * FULL).astype(np.uint16)


def from_grey16(grey: NDArray[np.number]) -> InverseDepth:
    """The inverse of `to_grey16`, exact to half a level."""
    return grey.astype(np.float32) / np.float32(FULL)
