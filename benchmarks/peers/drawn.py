"""Drawn scenes with what a lens shows of them, made once for all peers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels.api import InverseDepth, Picture
from ..thin_lens import SAMPLES, Scene, Sheet, photograph, to_linear
from .api import Shot

BLEED = "bleed"  # the scene by which leaking colour is measured
SUBJECT, BEHIND = (0.8, 0.08, 0.06), (0.06, 0.4, 0.1)  # linear red, green, blue


@dataclass(frozen=True, slots=True, repr=False)
class Truth:
    """A scene's picture, its true inverse depth, and what the lens shows of it."""

    name: str
    picture: Picture
    inverse_depth: InverseDepth
    lens: Picture
    focus: float
    aperture: float

    def shot(self) -> Shot:
        """What peers are asked for."""
        return Shot(self.inverse_depth, self.focus, self.aperture)


def truth_of(name: str, scene: Scene, samples: int = SAMPLES) -> Truth:
    """A scene and what the lens shows of it. samples: points of the aperture."""
    seen = photograph(scene, samples)
    return Truth(name, scene.picture(), scene.inverse_depth(), seen, scene.focus, scene.aperture)


def write_truth(folder: Path, name: str, scene: Scene, samples: int = SAMPLES) -> None:
    """NAME.npz: all of `Truth`."""
    made = truth_of(name, scene, samples)
    numbers = np.array([made.focus, made.aperture])
    np.savez(folder / f"{name}.npz", picture=made.picture, depth=made.inverse_depth, lens=made.lens, numbers=numbers)


def read_truths(folder: Path) -> Iterator[Truth]:
    """Every one that was written there, by name."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as data:
            focus, aperture = data["numbers"].tolist()
            yield Truth(path.stem, data["picture"], data["depth"], data["lens"], focus, aperture)


def bleed_scene(size_hw: tuple[int, int]) -> Scene:
    """A red thing in focus, with round and pointed parts, before a plain green wall far behind it."""
    height, width = size_hw
    finer = 4
    canvas = np.zeros((height * finer, width * finer), np.uint8)
    cv2.circle(canvas, (width * finer // 3, height * finer // 2), height * finer // 4, 255, -1)
    for k in range(7):
        x = (width * (12 + k)) * finer // 20
        thick = max(1, (1 + k) * height * finer // 300)
        cv2.line(canvas, (x, height * finer // 5), (x, height * finer * 4 // 5), 255, thick)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    coverage = small.astype(np.float32) / np.float32(255.0)
    wall = Sheet(np.full((*size_hw, 3), BEHIND, np.float32), np.ones(size_hw, np.float32), 0.1)
    return Scene(BLEED, (wall, Sheet(np.full((*size_hw, 3), SUBJECT, np.float32), coverage, 0.6)), 0.6, 6.0)


def leaked(result: Picture, truth: Truth, band: NDArray[np.bool_]) -> float:
    """How much of the subject's colour is in the wall: mean over the wall's part of `band`, in linear light.

    1 = all of it is the subject's. What the lens itself shows there (the edge's own mixed pixels) is taken off.
    """
    wall = band & (truth.inverse_depth != truth.focus) & (truth.shot().radius_px(truth.inverse_depth) > 0.5)
    red, lens = (to_linear(picture[wall][:, 0] / np.float32(255.0)) for picture in (result, truth.lens))
    return float(np.mean(np.maximum(red - lens, 0.0))) / (SUBJECT[0] - BEHIND[0])
