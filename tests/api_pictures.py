"""A picture, a depth and an engine for calls of the Python interface."""

from __future__ import annotations

from typing import Any

import numpy as np
from pullfocus.kernels.api import Picture
from pullfocus.stream import EngineRequest

from .clip import draw

PLANE = EngineRequest("plane")
SIZE_WH = (160, 96)


def frame(index: int = 0) -> Picture:
    return draw(index, SIZE_WH)


def ramp() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.linspace(0.0, 1.0, 48, dtype=np.float32)[:, None].repeat(80, axis=1)
