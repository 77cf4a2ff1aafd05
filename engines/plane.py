"""No net: a ramp from far at the top to near at the bottom. For tests, and to price everything else."""

from __future__ import annotations

import numpy as np

from ..kernels.api import InverseDepth, Picture, Quality
from .shape import net_size


class PlaneEngine:
    """Inverse depth 0 in the first row, 1 in the last, whatever the picture shows."""

    name = "plane"
    detail = "a ramp, no net"

    def __init__(self, quality: Quality = "fast") -> None:
        self._quality: Quality = quality

    def infer(self, picture: Picture) -> InverseDepth:
        height, width = net_size(picture.shape[0], picture.shape[1], self._quality)
        ramp = np.linspace(0.0, 1.0, height, dtype=np.float32)
        return np.repeat(ramp[:, None], width, axis=1)
