"""What the parity tests share: scenes, and the comparison."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pullfocus.kernels.api import Picture

from .parity_table import PARITY

Depth = NDArray[np.float32]


def same(name: str, ours: Any, cpus: Any) -> None:
    """Within the table's tolerance, with the same shape and dtype."""
    assert ours.shape == cpus.shape
    assert ours.dtype == cpus.dtype
    apart = np.abs(ours.astype(np.float64) - cpus.astype(np.float64))
    assert apart.max(initial=0.0) <= PARITY[name].most, f"{name}: most {apart.max()}, mean {apart.mean()}"
    assert apart.mean() <= PARITY[name].mean, f"{name}: mean {apart.mean()}, most {apart.max()}"


def scene_depth(size_hw: tuple[int, int], seed: int = 0) -> Depth:
    """A slope with a near thing before it, and noise."""
    rng, (height, width) = np.random.default_rng(seed), size_hw
    y, x = np.mgrid[:height, :width] / max(size_hw)
    near = np.hypot(y - 0.3, x - 0.4) < 0.2
    return np.clip(np.where(near, 0.8, 0.1 + 0.4 * y) + rng.normal(0, 0.01, size_hw), 0, 1).astype(np.float32)


def photo(size_hw: tuple[int, int], seed: int = 3) -> Picture:
    """Detail of every size, lamps, and dark corners."""
    rng, (height, width) = np.random.default_rng(seed), size_hw
    out = np.zeros((*size_hw, 3))
    for cells in (3, 9, 40, 120):
        noise = rng.normal(0, 40, (min(cells, height), min(cells, width), 3))
        out += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    out = np.clip(110 + out, 0, 255)
    out[height // 3 : height // 3 + 3, width // 5 : width // 5 + 3] = 255
    out[-height // 4 :, : width // 4] *= 0.1
    return out.astype(np.uint8)
