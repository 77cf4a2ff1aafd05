"""Where one scene ends and another begins, told from the pictures alone, at the first frame of the new one.

Two pictures show one scene where most of what has any structure is found again, near its place or where the camera
has turned to, in other light or not: the correlation of small windows, the best of several shifts. It knows nothing
of brightness and contrast, so a flash or another exposure is no cut. Pictures that are blown out or of one grey, as in
a flash or between two fades, say nothing and are passed over.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.api import Picture
from .state import State

Map = NDArray[np.float32]

THUMB_HW = (36, 64)
SAMPLED_HW = (108, 192)  # samples that thumbnails are made of
MEMORY = 4  # frames: what is seen again after a flash or a hand before the lens was never gone
LIKE = 0.6  # scenes of real clips resemble each other by up to 0.57, a scene itself by 0.63 even in a blurred turn
SURELY_LIKE = 0.9  # correlation of whole thumbnails, in place: no need to look closer
WINDOW_PX = 9
SHIFTS = [(x, y) for x in range(-6, 7, 2) for y in (-1, 0, 1)]
REACH_PX = 24  # the longest shift
NOISE = np.float32(3.0)  # variance of a window in which nothing is to be seen, of 255²
LEAST_CONTRAST = 4.0  # standard deviation, of 255
BLOWN_OUT, BLOWN_OUT_SHARE = 250.0, 0.5


class CutDetector:
    """Remembers the last few pictures of a scene. One thread calls `is_cut`."""

    def __init__(self) -> None:
        self._seen: deque[Map] = deque(maxlen=MEMORY)

    def is_cut(self, picture: Picture) -> bool:
        """Whether this frame begins another scene than the frames before; never for the first."""
        thumb = _thumbnail(picture)
        if thumb.std() < LEAST_CONTRAST or np.mean(thumb >= BLOWN_OUT) > BLOWN_OUT_SHARE:
            return False
        cut = bool(self._seen) and not any(_same_scene(thumb, seen) for seen in reversed(self._seen))
        if cut:
            self._seen.clear()
        self._seen.append(thumb)
        return cut

    def state(self) -> State:
        return {"seen": list(self._seen)}

    def restore(self, state: State) -> None:
        self._seen = deque(state["seen"], maxlen=MEMORY)


def _thumbnail(picture: Picture) -> Map:
    """Grey, 0–255. Samples of samples: a true mean of a large picture costs more than all the rest."""
    samples = cv2.resize(picture, SAMPLED_HW[::-1], interpolation=cv2.INTER_NEAREST)
    small = cv2.resize(samples, THUMB_HW[::-1], interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _same_scene(now: Map, before: Map) -> bool:
    a, b = now - now.mean(), before - before.mean()
    if float(np.vdot(a, b)) > SURELY_LIKE * float(np.linalg.norm(a)) * float(np.linalg.norm(b)):
        return True
    # What goes out of sight is missed in one direction, what comes into sight in the other.
    return resemblance(now, before) > LIKE or resemblance(before, now) > LIKE


def resemblance(now: Map, before: Map) -> float:
    """How much of `now` is found in `before`, about 0–1. Both are grey thumbnails, 0–255."""
    turned_x, turned_y = _turn(now, before)
    shifts = {*SHIFTS, *((turned_x + x, turned_y + y) for x in (-1, 0, 1) for y in (-1, 0, 1))}
    room = cast(Map, cv2.copyMakeBorder(before, REACH_PX, REACH_PX, REACH_PX, REACH_PX, cv2.BORDER_REPLICATE))
    (mean, variance), (before_mean, before_variance) = _statistics(now), _statistics(room)
    spread, before_spread = np.sqrt(variance + NOISE), np.sqrt(before_variance + NOISE)
    height, width = now.shape
    best = np.full_like(now, -np.inf)
    for x, y in shifts:
        top, left = (min(max(REACH_PX + shift, 0), 2 * REACH_PX) for shift in (y, x))
        part = slice(top, top + height), slice(left, left + width)
        together = _mean(now * room[part])
        together -= mean * before_mean[part]
        together /= before_spread[part]
        np.maximum(best, together, out=best)
    # Each window counts as much as there is in it to see; at the border there are no whole windows.
    inner = slice(WINDOW_PX // 2, -(WINDOW_PX // 2))
    weights = np.sqrt(variance[inner, inner]) + np.float32(1e-3)
    return float(np.sum(weights * best[inner, inner] / spread[inner, inner]) / np.sum(weights))


def _turn(now: Map, before: Map) -> tuple[int, int]:
    """By how many pixels the whole picture has moved (Kuglin & Hines 1975: phase correlation)."""
    window = _hanning()
    (x, y), _ = cv2.phaseCorrelate((now - now.mean()) * window, (before - before.mean()) * window)
    return round(x), round(y)


@lru_cache(maxsize=1)
def _hanning() -> Map:
    return cast(Map, cv2.createHanningWindow(THUMB_HW[::-1], cv2.CV_32F))


def _statistics(picture: Map) -> tuple[Map, Map]:
    """Mean and variance of the window around every pixel."""
    mean = _mean(picture)
    return mean, np.maximum(_mean(picture * picture) - mean * mean, np.float32(0.0))


def _mean(values: Map) -> Map:
    return cast(Map, cv2.blur(values, (WINDOW_PX, WINDOW_PX)))
