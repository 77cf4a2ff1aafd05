"""`--focus auto`: the subject is large, near and central, and stays the subject.

What counts as one thing is a band of inverse depth, not a layer: a person may be cut into several layers, and where
one of them ends and the next begins changes from frame to frame. The subject's own depth is followed by mean shift
(Cheng 1995, doi:10.1109/34.400568) within its band. Only a layer outside of it can be a rival.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.api import Centres, InverseDepth
from .faces import FaceTracker
from .frame import Sensed
from .state import State

BAND = 0.08  # of inverse depth: what lies this near to the subject may be a part of it
SWITCH_RATIO = 1.3  # a rival subject must be this much stronger …
SWITCH_S = 0.8  # … for this long before the focus turns to it
SMALLEST_SHARE = 0.005  # a layer with fewer pixels is no subject
LEVELS = 256  # of inverse depth, to weigh a frame with
SMALL_PX = 96  # the longest side of the copy in which a subject is looked for
FACE_PART = 0.6  # of a face's box, around its middle: the corners show what is behind it
FACE_SAMPLES = 32  # a side, at most

Mass = NDArray[np.float64]


class SubjectAim:
    """The inverse depth of the subject: of a face, if there is one, else of what is large, near and central."""

    def __init__(self, faces: FaceTracker | None) -> None:
        self._faces = faces
        self._subject = Subject()

    def __call__(self, sensed: Sensed, centres: Centres) -> float:
        time_s = sensed.frame.time_s
        face = self._faces.face(sensed.frame.seen, time_s) if self._faces is not None else None
        if face is None:
            return self._subject.follow(small_copy(sensed.seen), centres, time_s)
        # So that it stays with this person when the face is turned away.
        self._subject.inverse_depth = median_in(sensed.seen, *face.shrunk(FACE_PART))
        return self._subject.inverse_depth

    def state(self) -> State:
        """Without the faces, which belong to the one who gave them."""
        return self._subject.state()

    def restore(self, state: State) -> None:
        self._subject.restore(state)


class Subject:
    """Which depth is the subject's, from frame to frame."""

    def __init__(self) -> None:
        self.inverse_depth: float | None = None
        self._rival_since_s: float | None = None

    def follow(self, inverse_depth: InverseDepth, centres: Centres, time_s: float) -> float:
        """The subject's depth; a rival must be clearly stronger for a while to take its place."""
        mass = central_mass(inverse_depth)
        scores = subject_scores(mass, centres)
        best = int(np.argmax(scores))
        if self.inverse_depth is None:
            self.inverse_depth = float(centres[best])
        held = _shifted(mass, self.inverse_depth)
        if self._is_beaten(float(scores[best]), float(centres[best]), mass, held, time_s):
            held = float(centres[best])
        self.inverse_depth = held
        return held

    def state(self) -> State:
        return {"inverse_depth": self.inverse_depth, "rival_since_s": self._rival_since_s}

    def restore(self, state: State) -> None:
        self.inverse_depth, self._rival_since_s = state["inverse_depth"], state["rival_since_s"]

    def _is_beaten(self, best: float, rival: float, mass: Mass, held: float, time_s: float) -> bool:
        own = float(subject_scores(mass, np.array([held]))[0])
        if abs(rival - held) <= BAND or best < SWITCH_RATIO * own:
            self._rival_since_s = None
        elif self._rival_since_s is None:
            self._rival_since_s = time_s
        elif time_s - self._rival_since_s >= SWITCH_S:
            self._rival_since_s = None
            return True
        return False


def central_mass(inverse_depth: InverseDepth) -> Mass:
    """How much of the picture lies at each of LEVELS inverse depths; the middle counts most. The sum is 1."""
    levels = np.clip(inverse_depth * np.float32(LEVELS - 1) + np.float32(0.5), 0, LEVELS - 1).astype(np.intp)
    mass = np.bincount(levels.ravel(), weights=_centrality(*inverse_depth.shape), minlength=LEVELS)
    return mass.astype(np.float64, copy=False)


@lru_cache(maxsize=4)
def _centrality(height: int, width: int) -> Mass:
    y, x = np.linspace(-1.0, 1.0, height)[:, None], np.linspace(-1.0, 1.0, width)[None, :]
    central = np.exp(-((x / 0.6) ** 2) - (y / 0.8) ** 2)
    return (central / central.sum()).ravel()


def subject_scores(mass: Mass, at: Centres) -> NDArray[np.float64]:
    """How much the surroundings of each depth look like the subject: their central pixels, weighted by nearness."""
    return _band(at) @ mass * _nearness(at)


def _nearness(at: Centres) -> NDArray[np.float64]:
    return np.maximum(at, 0.0) + 0.05


def _shifted(mass: Mass, held: float) -> float:
    """`held` moved to the mean of what lies in its band, weighted as scores are; where nothing does, it stays."""
    weights = _band(np.array([held]))[0] * mass * _nearness(_LEVEL_DEPTHS)
    total = float(weights.sum())
    return float(weights @ _LEVEL_DEPTHS) / total if total > 0.0 else held


_LEVEL_DEPTHS = np.linspace(0.0, 1.0, LEVELS)


def _band(at: Centres) -> NDArray[np.float64]:
    """A triangle around each value, over the levels: k × LEVELS."""
    return np.maximum(0.0, 1.0 - np.abs(_LEVEL_DEPTHS[None, :] - at[:, None]) / BAND)


def nearest_visible(inverse_depth: InverseDepth, centres: Centres) -> float:
    """The nearest centre whose layer has a visible size."""
    layer = np.argmin(np.abs(inverse_depth[..., None] - centres.astype(np.float32)), axis=-1)
    shares = np.bincount(layer.ravel(), minlength=len(centres)) / inverse_depth.size
    return float(centres[int(np.argmax(shares >= SMALLEST_SHARE))])


def median_in(inverse_depth: InverseDepth, left: float, top: float, right: float, bottom: float) -> float:
    """The median inverse depth in a box in relative picture coordinates; at least one pixel is looked at."""
    height, width = inverse_depth.shape
    first_row, first_column = min(int(max(top, 0.0) * height), height - 1), min(int(max(left, 0.0) * width), width - 1)
    rows = slice(first_row, max(first_row + 1, round(bottom * height)))
    columns = slice(first_column, max(first_column + 1, round(right * width)))
    box = inverse_depth[rows, columns]
    down, across = -(-box.shape[0] // FACE_SAMPLES), -(-box.shape[1] // FACE_SAMPLES)
    return float(np.median(box[::down, ::across]))


def small_copy(inverse_depth: InverseDepth, longest_px: int = SMALL_PX) -> InverseDepth:
    """The choice of a subject needs no detail: means of four samples a pixel."""
    step = max(1, max(inverse_depth.shape) // (2 * longest_px))
    inverse_depth = np.ascontiguousarray(inverse_depth[::step, ::step])
    height, width = inverse_depth.shape
    scale = min(1.0, longest_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(inverse_depth, size, interpolation=cv2.INTER_AREA), np.float32)
