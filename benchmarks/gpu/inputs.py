"""What the rows work on: drawn pictures that move, with depth, more of them than the cache holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels.api import InverseDepth, Picture

FEWEST, MOST = 4, 256
CACHES = 2  # how many times the second-level cache the inputs fill
STEP_PX = (2, 5)  # how far the view moves from picture to picture, down and right
NEAR = (0.45, 0.4, 0.22)  # the near disc's centre and radius, as shares of the picture

Item = TypeVar("Item")


def how_many(item_bytes: int, cache_bytes: int) -> int:
    """So many different inputs that none is still in the cache when its turn comes again."""
    return min(MOST, max(FEWEST, -(-CACHES * cache_bytes // item_bytes)))


def pictures(size_hw: tuple[int, int], count: int) -> Sequence[Picture]:
    """`h w 3` uint8: a wall with detail of every size, seen by a camera that moves past, behind a near ball."""
    height, width = size_hw
    wall = _wall((height + STEP_PX[0] * count, width + STEP_PX[1] * count))
    ball = _near(size_hw)
    out = list[Picture]()
    for index in range(count):
        top, left = STEP_PX[0] * index, STEP_PX[1] * index
        seen = wall[top : top + height, left : left + width].copy()
        seen[ball] = (225, 120, 60)
        out.append(seen)
    return out


def depths(size_hw: tuple[int, int], count: int) -> Sequence[InverseDepth]:
    """`h w` float32: a floor that comes nearer, the near ball, and a little noise, another in each."""
    rng, (height, width) = np.random.default_rng(5), size_hw
    y = np.linspace(0.1, 0.55, height, dtype=np.float32)[:, None]
    plain = np.where(_near(size_hw), np.float32(0.85), np.repeat(y, width, 1))
    noise = rng.normal(0.0, 0.01, (height, width)).astype(np.float32)
    return [np.clip(plain + np.roll(noise, 7 * index), 0.0, 1.0) for index in range(count)]


def rotated(items: Sequence[Item]) -> Callable[[int], Item]:
    """The item for the frame of a number."""
    return lambda index: items[index % len(items)]


def _near(size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    return np.hypot(y - NEAR[0] * height, x - NEAR[1] * width) < NEAR[2] * height


def _wall(size_hw: tuple[int, int]) -> Picture:
    rng, (height, width) = np.random.default_rng(3), size_hw
    out = np.full((height, width, 3), 110.0, np.float32)
    for cells in (4, 12, 48, 192):
        noise = rng.normal(0.0, 30.0, (min(cells, height), min(cells, width), 3)).astype(np.float32)
        out += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(out, 0.0, 255.0).astype(np.uint8)
