"""A film's shots are found in a first pass, and a shot's range holds from its first frame to its last."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.stream.frame import Frame
from pullfocus.stream.shots import Shot, ShotRange, survey

RATE = 10


class Brightness:
    """An engine whose inverse depth is the red channel; it counts how often it was asked."""

    name = "brightness"
    detail = ""

    def __init__(self) -> None:
        self.asked = 0

    def infer(self, picture: Picture) -> InverseDepth:
        self.asked += 1
        return picture[..., 0].astype(np.float32) / np.float32(255.0)


def pattern(seed: int, low: int, high: int) -> Picture:
    """Random tiles, red within [low, high]: another scene for every seed."""
    tiles = np.random.default_rng(seed).integers(0, 256, (18, 32, 3))
    tiles[..., 0] = low + tiles[..., 0] * (high - low) // 255
    return tiles.repeat(6, axis=0).repeat(6, axis=1).astype(np.uint8)


def film() -> list[Frame]:
    pictures = [pattern(1, 51, 102)] * 12 + [pattern(2, 102, 204)] * 8
    return [Frame(picture, index, index, Fraction(1, RATE)) for index, picture in enumerate(pictures)]


def test_every_shot_is_found_with_its_own_range() -> None:
    engine = Brightness()
    first, second = survey(film(), engine)
    assert (first.start_s, second.start_s) == (0.0, 1.2)
    assert 0.2 <= first.low < first.high <= 0.4
    assert 0.4 <= second.low < second.high <= 0.8
    assert engine.asked < 10  # of 20 frames


def test_the_survey_tells_how_far_it_is() -> None:
    seen: list[int] = []
    survey(film(), Brightness(), seen.append)
    assert seen == list(range(1, 21))


@pytest.mark.parametrize(("time_s", "expected"), [(0.0, 0.5), (1.19, 0.5), (1.2, 0.0), (9.0, 0.0)])
def test_a_shot_keeps_its_range_from_first_to_last_frame(time_s: float, expected: float) -> None:
    shots = ShotRange([Shot(0.0, 0.1, 0.3), Shot(1.2, 0.2, 0.8)])
    assert shots.apply(np.full((2, 2), 0.2, np.float32), time_s) == pytest.approx(np.full((2, 2), expected))


def test_a_flat_shot_is_not_stretched_into_noise() -> None:
    out = ShotRange([Shot(0.0, 0.4, 0.4)]).apply(np.array([[0.4, 0.402]], np.float32), 0.0)
    assert out[0, 1] < 0.2


def test_what_lies_outside_the_range_is_clipped() -> None:
    out = ShotRange([Shot(0.0, 0.2, 0.4)]).apply(np.array([[0.0, 1.0]], np.float32), 0.0)
    assert out.tolist() == [[0.0, 1.0]]
