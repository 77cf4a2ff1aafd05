"""Small scenes to focus in: a depth map, a picture without detail, a time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pullfocus.stream.config import Settings
from pullfocus.stream.faces import FaceFinder
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Sensed
from pullfocus.stream.targets import Target, parse_focus

CENTRES = np.array([0.9, 0.5, 0.1])


def puller(target: Target | str, faces: FaceFinder | None = None, **settings: Any) -> FocusPuller:
    focus = parse_focus(target) if isinstance(target, str) else target
    return FocusPuller(Settings(focus=focus, **settings), faces)


def sensed(inverse_depth: NDArray[np.float32], time_s: float = 0.0, index: int = 0) -> Sensed:
    """A grey picture of the depth map's size, shown at `time_s` (to a microsecond)."""
    picture = np.full((*inverse_depth.shape, 3), 90, np.uint8)
    return Sensed(Frame(picture, index, round(time_s * 1e6), Fraction(1, 1_000_000)), inverse_depth)


def focus_at(puller: FocusPuller, inverse_depth: NDArray[np.float32], time_s: float = 0.0) -> float:
    return puller.plan(sensed(inverse_depth, time_s), CENTRES).inverse_depth
