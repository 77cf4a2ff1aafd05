"""Peers of a few lines of NumPy and OpenCV; all must be handed a depth."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from ...kernels.api import InverseDepth, Picture
from ..thin_lens import Scene
from .api import SHARP_PX, InProcess, Means, Shot


class NeedsDepth(InProcess):
    """Sees nothing itself."""

    sees, takes = "", "depth"

    def __init__(self, means: Means) -> None:
        del means

    def prepare(self, shot: Shot) -> None:
        self._shot = shot


class Report(NeedsDepth):
    """The student report's recipe, its sharp layer the one nearest to the focus in the first frame."""

    def prepare(self, shot: Shot) -> None:
        super().prepare(shot)
        self._sharp: int | None = None

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        from .. import report_recipe  # scikit-learn: no other peer's memory

        assert inverse_depth is not None
        labels = report_recipe.layers(report_recipe.grey_depth(inverse_depth))
        if self._sharp is None:
            means = np.array([inverse_depth[labels == k].mean() for k in range(report_recipe.LAYERS)])
            self._sharp = int(np.argmin(np.abs(means - self._shot.focus)))
        return report_recipe.composite(picture, labels, self._sharp)


class OneBlur(NeedsDepth):
    """One Gaussian-blurred copy, mixed in by a smoothstep of the circle of confusion.

    The blur is that of the mean circle of what is out of focus in the first frame: a disc of radius r spreads as a
    Gaussian of sigma r / 2 does.
    """

    def prepare(self, shot: Shot) -> None:
        super().prepare(shot)
        self._full_px = 0.0

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        assert inverse_depth is not None
        radius_px = self._shot.radius_px(inverse_depth)
        if not self._full_px:
            blurred = radius_px[radius_px > SHARP_PX]
            self._full_px = max(float(blurred.mean()) if blurred.size else 0.0, 2.0 * SHARP_PX)
        copy = cv2.GaussianBlur(picture, (0, 0), self._full_px / 2.0)
        x = np.clip((radius_px - SHARP_PX) / np.float32(self._full_px - SHARP_PX), 0.0, 1.0)
        weight = x * x * (3.0 - 2.0 * x)
        return cast(Picture, cv2.blendLinear(copy, picture, weight, np.float32(1.0) - weight))


class Gather(NeedsDepth):
    """Each pixel the mean of the picture over its own circle of confusion, in linear light."""

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        from ..truth import gather

        assert inverse_depth is not None
        shot = self._shot
        away = np.maximum(np.abs(inverse_depth - np.float32(shot.focus)) - np.float32(shot.dead_zone), 0.0)
        return gather(Scene("", (), 0.0, shot.aperture), picture, away.astype(np.float32, copy=False))


class Untouched(NeedsDepth):
    """The picture as it came: what the other figures are to be read against."""

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        del inverse_depth
        return picture
