"""A camera that is no device: it is lost now and then, comes back, and changes its size, all from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from time import monotonic

import numpy as np

from ..kernels.errors import InputError
from ..stream.clock import pace
from ..stream.frame import Frame
from ..stream.synthetic import SyntheticSource

SIZES_HW = ((480, 640), (480, 720), (432, 768))  # of about as many pixels, so that memory can be compared
RATE = Fraction(30)
MARKS = 256


@dataclass(frozen=True, slots=True)
class Mishaps:
    """From and to, in seconds. every_s: between two losses; away_s: how long one lasts."""

    every_s: tuple[float, float] = (15.0, 45.0)
    away_s: tuple[float, float] = (2.5, 6.0)


class LossyCamera:
    """`opened` opens it, for `Reconnecting`. One thread reads; another may look at the counts."""

    def __init__(self, seed: int, mishaps: Mishaps) -> None:
        self._random, self._mishaps = np.random.default_rng(seed), mishaps
        self._back_s = 0.0
        self.losses = 0
        self.returned_s = 0.0  # when it could be opened again after its last loss

    def opened(self) -> LossyInput:
        """Raises InputError while it is away."""
        if monotonic() < self._back_s:
            raise InputError("the camera is not there")
        return LossyInput(self)

    def next_loss_s(self) -> float:
        """When the next one will be."""
        return monotonic() + self._random.uniform(*self._mishaps.every_s)

    def size_hw(self) -> tuple[int, int]:
        return SIZES_HW[self._random.integers(len(SIZES_HW))]

    def lose(self) -> None:
        self.losses += 1
        self._back_s = self.returned_s = monotonic() + self._random.uniform(*self._mishaps.away_s)


class LossyInput:
    """Test pictures until the camera is lost; half way to it they change their size.

    Their upper corners say how often it had been lost before, so that a repeated picture is known as one.
    """

    ends = False

    def __init__(self, camera: LossyCamera) -> None:
        self._camera, self._mark = camera, camera.losses % MARKS
        self.notes: list[str] = []

    def frames(self) -> Iterator[Frame]:
        """Raises InputError when it is lost."""
        camera, started_s = self._camera, monotonic()
        lost_s = camera.next_loss_s()
        size_hw = camera.size_hw()
        for index, frame in enumerate(pace(self._pictures(size_hw, (started_s + lost_s) / 2))):
            if frame.captured_s >= lost_s:
                camera.lose()
                raise InputError("the camera was lost")
            picture = frame.picture8
            picture[0, 0] = picture[0, -1] = self._mark  # at both sides, for it may be mirrored
            yield replace(frame, index=index)

    def _pictures(self, size_hw: tuple[int, int], changes_s: float) -> Iterator[Frame]:
        first = SyntheticSource(size_hw, RATE, live=False).frames()
        second = SyntheticSource(self._camera.size_hw(), RATE, live=False).frames()
        for one, other in zip(first, second):
            yield one if monotonic() < changes_s else other

    def close(self) -> None:
        pass


def is_after_loss(frame: Frame, losses: int) -> bool:
    """Whether a camera that had been lost so often gave this frame."""
    return int(frame.picture8[0, 0, 0]) == losses % MARKS
