"""A source that needs no camera: a ball that swings before a striped wall."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from time import monotonic
from typing import cast

import cv2
import numpy as np

from ..kernels.api import Picture
from .clock import pace
from .frame import Frame


class SyntheticSource:
    """Moving test pictures: `live` ones in real time at `rate` frames a second, others as fast as they are read."""

    def __init__(
        self, size_hw: tuple[int, int] = (480, 640), rate: Fraction = Fraction(30), live: bool = True, frames: int = 0
    ) -> None:
        """frames: how many, 0 = no end."""
        self.live = live
        self.notes: list[str] = []
        self.size_hw, self._rate, self._count = size_hw, rate, frames
        self._wall = _wall(size_hw)

    def frames(self) -> Iterator[Frame]:
        plain = self._plain()
        return pace(plain) if self.live else plain

    def _plain(self) -> Iterator[Frame]:
        index = 0
        while not self._count or index < self._count:
            yield Frame(self._draw(index), index, index, 1 / self._rate, 1, monotonic())
            index += 1

    def _draw(self, index: int) -> Picture:
        height, width = self.size_hw
        phase = 2.0 * np.pi * index / (4.0 * float(self._rate))
        centre = (round(width * (0.5 + 0.3 * np.sin(phase))), round(height * 0.6))
        return cast(
            Picture, cv2.circle(self._wall.copy(), centre, round(height * 0.18), (225, 120, 60), -1, cv2.LINE_AA)
        )


def _wall(size_hw: tuple[int, int]) -> Picture:
    height, width = size_hw
    stripes = (np.arange(width) // max(8, width // 40) % 2 * 70 + 90).astype(np.uint8)
    shade = np.linspace(0.6, 1.1, height)[:, None]
    grey = np.clip(stripes[None, :] * shade, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.dstack((grey, grey, np.clip(grey.astype(np.int16) + 15, 0, 255).astype(np.uint8))))
