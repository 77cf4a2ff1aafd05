"""Faces decide what is in focus, where the user names a model that finds them.

The model is YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y), run by OpenCV's FaceDetectorYN. None is shipped.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import cv2
import numpy as np

from ..kernels.api import Picture
from ..kernels.errors import InputError
from .state import State

FIND_PX = 320  # longest side of the picture in which faces are looked for
FIND_EVERY_S = 0.2
LEAST_SCORE = 0.7
SAME_OVERLAP = 0.2  # boxes that share this much (intersection over union) show the same face
RIVAL_RATIO = 1.5  # another face must be this much larger …
RIVAL_S = 1.0  # … for this long before the focus turns to it
LOST_S = 1.0  # for so long a face that is not found may come back
_SILENT = 0  # a log level of OpenCV


@dataclass(frozen=True, slots=True)
class Face:
    """A box around a face, in relative picture coordinates from the top left; it may reach beyond the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height

    def shrunk(self, part: float) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the box `part` as wide and high, around the same middle."""
        x, y = self.left + self.width / 2, self.top + self.height / 2
        return (
            x - part * self.width / 2,
            y - part * self.height / 2,
            x + part * self.width / 2,
            y + part * self.height / 2,
        )

    def overlap(self, other: Face) -> float:
        """Intersection over union."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        shared = max(0.0, wide) * max(0.0, high)
        return shared / max(self.area + other.area - shared, 1e-12)


class FaceFinder(Protocol):
    """Finds the faces in a picture."""

    def find(self, picture: Picture) -> Sequence[Face]: ...


class YuNet:
    """OpenCV's FaceDetectorYN on a small copy of the picture."""

    def __init__(self, path: Path) -> None:
        """Raises InputError for a file that is no YuNet model."""
        if not path.is_file():
            raise InputError(f"--face-model {path}: no such file; expected a YuNet model (.onnx)")
        try:
            with _quiet():
                self._net = cv2.FaceDetectorYN.create(str(path), "", (FIND_PX, FIND_PX), LEAST_SCORE)
                # Some models load and yet are of another kind: only a run shows it.
                self._net.detect(np.zeros((FIND_PX, FIND_PX, 3), np.uint8))
        except (cv2.error, SystemError) as error:
            raise InputError(
                f"--face-model {path}: OpenCV {cv2.__version__} cannot use it; expected a YuNet model (.onnx), such as "
                "face_detection_yunet_2023mar.onnx of the OpenCV Zoo"
            ) from error

    def find(self, picture: Picture) -> Sequence[Face]:
        height, width = picture.shape[:2]
        scale = min(1.0, FIND_PX / max(height, width))
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.cvtColor(cv2.resize(picture, size_wh, interpolation=cv2.INTER_LINEAR), cv2.COLOR_RGB2BGR)
        self._net.setInputSize(size_wh)
        _, found = self._net.detect(small)
        if cast(object, found) is None:  # what OpenCV returns for a picture without faces
            return ()
        boxes = found[:, :4] / np.array([*size_wh, *size_wh])
        return [Face(*map(float, box)) for box in boxes]


@contextmanager
def _quiet() -> Generator[None]:
    """OpenCV writes of its own to stderr; what matters is in the exception."""
    log: Any = getattr(cv2.utils, "logging", cv2)  # OpenCV 5; OpenCV 4 has it in the module itself
    before = log.setLogLevel(_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(before)


class FaceTracker:
    """The largest face, and the same one from frame to frame."""

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self.reset()

    def reset(self) -> None:
        """Whatever was found belongs to an earlier scene."""
        self._face: Face | None = None
        self._seen_s = self._looked_s = -np.inf
        self._rival_since_s: float | None = None

    def state(self) -> State:
        return {
            "face": None if self._face is None else asdict(self._face),
            "seen_s": self._seen_s,
            "looked_s": self._looked_s,
            "rival_since_s": self._rival_since_s,
        }

    def restore(self, state: State) -> None:
        self._face = None if state["face"] is None else Face(**state["face"])
        self._seen_s, self._looked_s = state["seen_s"], state["looked_s"]
        self._rival_since_s = state["rival_since_s"]

    def face(self, picture: Picture, time_s: float) -> Face | None:
        """The face in focus, None while there is none. Looks for faces a few times a second only."""
        if not 0.0 <= time_s - self._looked_s < FIND_EVERY_S:
            self._looked_s = time_s
            self._choose(self._finder.find(picture), time_s)
        return self._face if self._seen_s == self._looked_s else None

    def _choose(self, faces: Sequence[Face], time_s: float) -> None:
        held, largest = self._same(faces), max(faces, key=lambda face: face.area, default=None)
        if held is None:
            self._rival_since_s = None
        if held is None and time_s - self._seen_s <= LOST_S:
            return  # the others have to wait
        if largest is None:
            self._face = None
            return
        if held is None or self._is_beaten(held, largest, time_s):
            held, self._rival_since_s = largest, None
        self._face, self._seen_s = held, time_s

    def _same(self, faces: Sequence[Face]) -> Face | None:
        """The one of `faces` that the held one has become."""
        if self._face is None:
            return None
        held = self._face
        best = max(faces, key=held.overlap, default=None)
        return best if best is not None and held.overlap(best) >= SAME_OVERLAP else None

    def _is_beaten(self, held: Face, largest: Face, time_s: float) -> bool:
        if largest.area < RIVAL_RATIO * held.area:
            self._rival_since_s = None
        elif self._rival_since_s is None:
            self._rival_since_s = time_s
        return self._rival_since_s is not None and time_s - self._rival_since_s >= RIVAL_S
