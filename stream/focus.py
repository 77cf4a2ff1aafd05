"""Where the focus is: what the user asked for, followed steadily through time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.api import Centres, InverseDepth
from ..kernels.errors import InputError

PULL_S = 0.25  # time constant of a focus pull
SWITCH_RATIO = 1.3  # a rival subject must be this much stronger …
SWITCH_S = 0.5  # … for this long before `auto` turns to it
POINT_WINDOW = 0.03  # half side of the window under a point, as a share of the picture
SMALLEST_SHARE = 0.005  # a layer with fewer pixels is no subject


@dataclass(frozen=True, slots=True)
class Auto:
    """The subject: large, near and central."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest layer that has a visible size."""


@dataclass(frozen=True, slots=True)
class LayerNumber:
    """Layer `number`, 1 = nearest."""

    number: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed inverse depth in [0, 1]."""

    inverse_depth: float


@dataclass(frozen=True, slots=True)
class Point:
    """Whatever is under a point, in relative picture coordinates from the top left."""

    x: float
    y: float


Target: TypeAlias = Auto | Nearest | LayerNumber | Fixed | Point


def parse_focus(text: str) -> Target:
    """`auto`, `nearest`, `layer:N`, an inverse depth or `X,Y`. Raises InputError."""
    if text in ("auto", "nearest"):
        return Auto() if text == "auto" else Nearest()
    try:
        if text.startswith("layer:"):
            return LayerNumber(_at_least_one(int(text.removeprefix("layer:"))))
        numbers = [_in_unit_interval(float(part)) for part in text.split(",")]
        return Fixed(*numbers) if len(numbers) == 1 else Point(*numbers)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"--focus {text}: expected auto, nearest, layer:N (N ≥ 1), an inverse depth 0–1, or X,Y with both 0–1"
        ) from error


def _in_unit_interval(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(value)
    return value


def _at_least_one(value: int) -> int:
    if value < 1:
        raise ValueError(value)
    return value


class FocusPuller:
    """Turns a target into an inverse depth per frame, eased so that the focus glides.

    `target` may be replaced at any time from another thread (a click in the window).
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._focus: float | None = None
        self._time_s = 0.0
        self._subject: float | None = None
        self._rival_since_s: float | None = None

    def focus(self, inverse_depth: InverseDepth, centres: Centres, time_s: float) -> float:
        """The inverse depth in focus for this frame, in [0, 1]."""
        target = self.target
        elapsed_s = max(0.0, time_s - self._time_s)
        self._time_s = time_s
        if isinstance(target, Fixed):
            self._focus = target.inverse_depth
            return target.inverse_depth
        goal = self._goal(target, inverse_depth, centres, time_s)
        if self._focus is None:
            self._focus = goal
        else:
            self._focus += (goal - self._focus) * (1.0 - math.exp(-elapsed_s / PULL_S))
        return self._focus

    def _goal(self, target: Target, inverse_depth: InverseDepth, centres: Centres, time_s: float) -> float:
        match target:
            case LayerNumber(number):
                return float(centres[min(number, len(centres)) - 1])
            case Nearest():
                shares = _layer_mass(inverse_depth, centres, np.ones_like(inverse_depth)) / inverse_depth.size
                return float(centres[int(np.argmax(shares >= SMALLEST_SHARE))])
            case Point(x, y):
                return _median_at(inverse_depth, x, y)
            case _:
                return self._follow_subject(inverse_depth, centres, time_s)

    def _follow_subject(self, inverse_depth: InverseDepth, centres: Centres, time_s: float) -> float:
        """The strongest layer's depth; a rival must be clearly stronger for a while to take over."""
        scores = subject_scores(inverse_depth, centres)
        best = int(np.argmax(scores))
        if self._subject is None:
            self._subject = float(centres[best])
            return self._subject
        held = int(np.argmin(np.abs(centres - self._subject)))
        if best == held or scores[best] < SWITCH_RATIO * scores[held]:
            self._rival_since_s = None
        elif self._rival_since_s is None:
            self._rival_since_s = time_s
        elif time_s - self._rival_since_s >= SWITCH_S:
            held, self._rival_since_s = best, None
        self._subject = float(centres[held])
        return self._subject


def subject_scores(inverse_depth: InverseDepth, centres: Centres) -> list[float]:
    """How much each layer looks like the subject: its central pixels, weighted by nearness."""
    height, width = inverse_depth.shape
    y, x = np.linspace(-1.0, 1.0, height)[:, None], np.linspace(-1.0, 1.0, width)[None, :]
    central = np.exp(-((x / 0.6) ** 2) - (y / 0.8) ** 2).astype(np.float32)
    mass = _layer_mass(inverse_depth, centres, central)
    nearness = (np.maximum(centres, 0.0) + 0.05) / (max(float(centres[0]), 0.0) + 0.05)
    return list(mass / max(float(mass.sum()), 1e-6) * nearness)


def _layer_mass(inverse_depth: InverseDepth, centres: Centres, weights: InverseDepth) -> NDArray[np.float64]:
    """Sum of `weights` over each layer's pixels."""
    nearest = np.argmin(np.abs(inverse_depth[..., None] - centres.astype(np.float32)), axis=-1)
    return np.bincount(nearest.ravel(), weights=weights.ravel(), minlength=len(centres)).astype(np.float64)


def _median_at(inverse_depth: InverseDepth, x: float, y: float) -> float:
    height, width = inverse_depth.shape
    reach_y, reach_x = max(1, round(height * POINT_WINDOW)), max(1, round(width * POINT_WINDOW))
    row, column = min(int(y * height), height - 1), min(int(x * width), width - 1)
    window = inverse_depth[max(0, row - reach_y) : row + reach_y + 1, max(0, column - reach_x) : column + reach_x + 1]
    return float(np.median(window))


def resized_for_focus(inverse_depth: InverseDepth, longest_px: int = 96) -> InverseDepth:
    """A small copy: the choice of a subject needs no detail."""
    height, width = inverse_depth.shape
    scale = min(1.0, longest_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(inverse_depth, size, interpolation=cv2.INTER_AREA), np.float32)
