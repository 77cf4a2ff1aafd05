"""Drawn scenes as a set of pictures with depth, and as a clip that a hand holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...kernels.api import InverseDepth, Picture
from ...training.data import Pair, Sample
from ..scenes import scene

SWAY = 0.35  # how far a hand moves the camera, in radii of the aperture
PERIODS = (17.0, 11.0)  # frames of its swing, across and up


@dataclass(frozen=True, slots=True)
class Drawn:
    """One scene, drawn when it is read: as `training.data.Stored`."""

    family: str
    seed: int
    smaller: int

    @property
    def paths(self) -> tuple[Path, ...]:
        return ()

    def read(self) -> tuple[Picture, InverseDepth]:
        shot = scene(self.family, self.seed).shrunk(self.smaller)
        return shot.picture(), shot.inverse_depth()


def drawn_set(families: Sequence[str], seeds: Sequence[int], smaller: int) -> list[Sample]:
    """A sample for each family and seed; their depth counts as measured."""
    return [
        Sample(f"{family} {seed}", "drawn", "metric", family, Drawn(family, seed, smaller))
        for family in families
        for seed in seeds
    ]


def hand_held(family: str, seed: int, smaller: int, frames: int) -> list[Pair]:
    """A scene of flat sheets from a camera that sways: what is nearer or farther than the focus shifts."""
    shot = scene(family, seed).shrunk(smaller)
    seen = (shot.moved(*place) for place in _sway(frames).tolist())
    return [Pair(each.picture(), each.inverse_depth(), metric=True) for each in seen]


def _sway(frames: int) -> NDArray[np.float64]:
    """`frames 2` places."""
    turns = np.arange(frames)[:, None] / np.array(PERIODS)
    return SWAY * np.sin(2.0 * np.pi * turns)
