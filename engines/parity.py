"""Does a compiled engine still compute our net? Its depth of three fixed pictures against float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..kernels.api import InverseDepth, Picture
from ..kernels.errors import EngineError

# Of inverse depth, from 0 to 1. Half precision keeps 11 bits; a wrong kernel, layout or scale is off by a lot more.
MAX_ERROR, MEAN_ERROR = 0.02, 0.003


@dataclass(frozen=True, slots=True)
class Parity:
    """The largest and the mean absolute difference of inverse depth over all pictures."""

    max_error: float
    mean_error: float

    @property
    def is_close(self) -> bool:
        # Not `>`: NaN must fail.
        return self.max_error <= MAX_ERROR and self.mean_error <= MEAN_ERROR

    def __str__(self) -> str:
        return f"max {self.max_error:.4f}, mean {self.mean_error:.5f}"


def fixed_pictures(size_hw: tuple[int, int]) -> list[Picture]:
    """A room drawn in light and shadow, soft blotches, and fine stripes: the same on every machine."""
    return [_room(*size_hw), _blotches(*size_hw), _stripes(*size_hw)]


def compare(
    infer: Callable[[Picture], InverseDepth], reference: Callable[[Picture], InverseDepth], size_hw: tuple[int, int]
) -> Parity:
    """Both on the fixed pictures. Raises EngineError where `infer` gives another shape or type."""
    worst, means = 0.0, list[float]()
    for picture in fixed_pictures(size_hw):
        depth, expected = infer(picture), reference(picture)
        if depth.shape != expected.shape or depth.dtype != expected.dtype:
            got = f"{depth.shape} {depth.dtype}"
            raise EngineError(f"it gives {got}, expected {expected.shape} {expected.dtype}")
        error = np.abs(depth - expected)
        worst = max(worst, float(error.max())) if np.isfinite(error).all() else float("nan")
        means.append(float(error.mean()))
        if not np.isfinite(worst):
            break  # max() would forget it
    return Parity(worst, float(np.mean(means)))


def check(
    infer: Callable[[Picture], InverseDepth], reference: Callable[[Picture], InverseDepth], size_hw: tuple[int, int]
) -> Parity:
    """As `compare`. Raises EngineError when they are too far apart."""
    parity = compare(infer, reference, size_hw)
    if not parity.is_close:
        allowed = f"max {MAX_ERROR}, mean {MEAN_ERROR}"
        raise EngineError(f"its depth is off by {parity} from float32, allowed are {allowed}; it is not used")
    return parity


def _room(height: int, width: int) -> Picture:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 60.0 + 150.0 * (y / height) + 25.0 * np.cos(x / width * 6.0)
    picture = np.stack([light, light * 0.9, light * 0.75], axis=2)
    centre, radius = (width // 3, int(height * 0.55)), height // 4
    cv2.circle(picture, centre, radius, (190.0, 120.0, 90.0), -1)
    cv2.rectangle(picture, (int(width * 0.6), height // 4), (int(width * 0.9), height), (40.0, 60.0, 85.0), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _blotches(height: int, width: int) -> Picture:
    coarse = np.random.default_rng(20).integers(0, 256, (6, 9, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def _stripes(height: int, width: int) -> Picture:
    y, x = np.mgrid[0:height, 0:width]
    bright = ((x // 3 + y // 5) % 2 * 200 + 25).astype(np.uint8)
    return np.stack([bright, np.roll(bright, 2, axis=1), 255 - bright], axis=2)
