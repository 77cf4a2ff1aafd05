"""`--focus X,Y`: the thing under a point is followed when it moves.

Corners around the point (Shi & Tomasi 1994, doi:10.1109/CVPR.1994.323794) that lie at its inverse depth are followed
by pyramidal Lucas-Kanade flow (Bouguet 2000), forwards and backwards: one that does not come back to where it was
(Kalal et al. 2010, doi:10.1109/ICPR.2010.675) or that jumps to another depth shows something else, and is dropped.

When all are lost (the thing has left the picture, is covered, or moves too fast) the focus holds the thing's last
depth. It is taken up again where it was last seen as soon as its depth is there again; after HOLD_S whatever is
there is taken in its place. A thing without corners cannot be followed: then the focus is on whatever is at the point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.api import Centres, InverseDepth, Picture
from .frame import Sensed
from .state import State
from .targets import Point

FOLLOW_PX = 320  # about the longest side of the grey copy; all lengths below are in its pixels
REACH_PX = (14, 28)  # half the square around the point in which corners are looked for; the second if too few
SURROUNDINGS_PX = 40  # around the points in which they are looked for again
WINDOW = 0.01  # half the window whose median is the depth at a point, as a share of the picture
SAME_DEPTH = 0.08  # of inverse depth: from frame to frame a point of the same thing does not change by more
MOST_POINTS, LEAST_POINTS = 12, 3  # lost with fewer
APART_PX = 4
LEAST_CORNER = 2e-4  # the smaller eigenvalue of a corner, as OpenCV scales it: noise has less
RETURN_PX = 0.7  # a point followed there and back again ends this near to where it was
TOGETHER_PX = 4.0  # a point moves as the middle one does, to within this
HOLD_S = 2.0
_FLOW_WINDOW_PX = (15, 15)  # on each of OpenCV's four levels

Grey = NDArray[np.uint8]
Points = NDArray[np.float32]  # n × 2: x, y in pixels of the grey copy
NO_POINTS: Points = np.empty((0, 2), np.float32)


class PointAim:
    """The inverse depth of the thing that was under `point` when it was first looked at."""

    def __init__(self, point: Point) -> None:
        self._place = np.array([point.x, point.y])  # relative, where the thing is or was last seen
        self._depth = 0.0
        self._before: Picture | None = None
        self._points = NO_POINTS
        self._found = 0  # how many there were when they were last looked for
        self._lost_s: float | None = None  # since when

    @property
    def place(self) -> tuple[float, float]:
        """Where the thing is, or was last seen, in relative picture coordinates."""
        return float(self._place[0]), float(self._place[1])

    def __call__(self, sensed: Sensed, _centres: Centres) -> float:
        picture, before = sensed.frame.seen, self._before
        if before is not None and before.shape == picture.shape and len(self._points):
            self._follow(before, picture, sensed.seen)
            if not len(self._points):
                self._lost_s = sensed.frame.time_s
        self._before = picture
        if not len(self._points):
            self._take_up(sensed)
        elif len(self._points) <= self._found / 2:
            self._look_for_points(sensed)
        return self._depth

    def state(self) -> State:
        return {
            "place": self._place.copy(),
            "depth": self._depth,
            "before": _seen_part(self._before, self._points),
            "points": self._points,
            "found": self._found,
            "lost_s": self._lost_s,
        }

    def restore(self, state: State) -> None:
        self._place, self._depth = state["place"].copy(), state["depth"]
        self._before = _picture_around(state["before"])
        self._points, self._found, self._lost_s = state["points"], state["found"], state["lost_s"]

    def _follow(self, before: Picture, picture: Picture, inverse_depth: InverseDepth) -> None:
        grid = GreyCopy.of(picture)
        points, moved = _flow(grid, before, picture, self._points)
        self._points = NO_POINTS
        if len(moved) < LEAST_POINTS:
            return
        steps, at = moved - points, grid.depths(inverse_depth, moved)
        together = np.abs(steps - _middle(steps)).max(axis=1) <= TOGETHER_PX
        kept = together & (np.abs(at - self._depth) <= SAME_DEPTH)
        if np.count_nonzero(kept) >= LEAST_POINTS:
            self._points, self._depth = moved[kept], float(_middle(at[kept]))
            self._place += _middle(steps[kept]) / np.array([grid.width, grid.height])

    def _take_up(self, sensed: Sensed) -> None:
        """Begin, or begin again, with what is at the place."""
        self._place = np.clip(self._place, 0.0, 1.0)
        there = depth_at(sensed.seen, *self.place)
        if self._lost_s is not None:
            is_back = abs(there - self._depth) <= SAME_DEPTH
            if not is_back and sensed.frame.time_s - self._lost_s < HOLD_S:
                return
        self._depth, self._lost_s = there, None
        self._look_for_points(sensed)

    def _look_for_points(self, sensed: Sensed) -> None:
        for reach_px in REACH_PX:
            found = _corners(sensed, self.place, self._depth, reach_px)
            if len(found) >= LEAST_POINTS:
                self._points = found
                break
        self._found = len(self._points)


@dataclass(frozen=True, slots=True)
class GreyCopy:
    """The pixels of the small grey copy: each stands for `scale` × `scale` of the picture's."""

    scale: int
    height: int
    width: int

    @classmethod
    def of(cls, picture: Picture) -> GreyCopy:
        height, width = picture.shape[:2]
        scale = max(1, round(max(height, width) / FOLLOW_PX))
        return cls(scale, max(1, height // scale), max(1, width // scale))

    def grey(self, picture: Picture, left: int, top: int, right: int, bottom: int) -> Grey:
        """A part of the grey copy. Only this part of the picture is looked at."""
        wide, high, scale = right - left, bottom - top, self.scale
        part = picture[top * scale : bottom * scale, left * scale : right * scale]
        if scale > 2:  # less than half the cost of averaging every pixel
            part = cv2.resize(part, (2 * wide, 2 * high), interpolation=cv2.INTER_LINEAR)
        return cast(
            Grey, cv2.cvtColor(cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        )

    def around(self, points: Points, reach_px: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the box that reaches so far beyond all `points`, cut at the border."""
        least, most = points.min(axis=0).astype(int) - reach_px, points.max(axis=0).astype(int) + reach_px + 1
        return max(0, least[0]), max(0, least[1]), min(self.width, most[0]), min(self.height, most[1])

    def depths(self, inverse_depth: InverseDepth, points: Points) -> InverseDepth:
        """Inverse depth (of any size) at `points`."""
        high, wide = inverse_depth.shape
        columns = np.clip((points[:, 0] + 0.5) * (wide / self.width), 0, wide - 1).astype(np.intp)
        rows = np.clip((points[:, 1] + 0.5) * (high / self.height), 0, high - 1).astype(np.intp)
        return inverse_depth[rows, columns]


def _seen_part(picture: Picture | None, points: Points) -> State | None:
    """The part of `picture` that will be looked at when `points` are followed: a whole one would be megabytes."""
    if picture is None:
        return None
    if not len(points):
        return {"shape": list(picture.shape), "left": 0, "top": 0, "part": picture[:0, :0].copy()}
    grid = GreyCopy.of(picture)
    left, top, right, bottom = (int(edge) * grid.scale for edge in grid.around(points, SURROUNDINGS_PX))
    return {"shape": list(picture.shape), "left": left, "top": top, "part": picture[top:bottom, left:right].copy()}


def _picture_around(seen: State | None) -> Picture | None:
    """A picture that is black but for the part that was seen."""
    if seen is None:
        return None
    part, left, top = seen["part"], seen["left"], seen["top"]
    picture: Picture = np.zeros(tuple(seen["shape"]), part.dtype)
    picture[top : top + part.shape[0], left : left + part.shape[1]] = part
    return picture


def depth_at(inverse_depth: InverseDepth, x: float, y: float) -> float:
    """The median inverse depth in a small window around a point in relative picture coordinates."""
    height, width = inverse_depth.shape
    reach_y, reach_x = max(1, round(height * WINDOW)), max(1, round(width * WINDOW))
    row, column = min(int(y * height), height - 1), min(int(x * width), width - 1)
    window = inverse_depth[max(0, row - reach_y) : row + reach_y + 1, max(0, column - reach_x) : column + reach_x + 1]
    return float(np.median(window))


def _middle(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The (upper) median along the first axis; NumPy's own takes ten times as long on so few."""
    return np.sort(values, axis=0)[len(values) // 2]


def _flow(grid: GreyCopy, before: Picture, picture: Picture, points: Points) -> tuple[Points, Points]:
    """Those of `points` that are found again, and from there back again: where they were, and where they are."""
    left, top, right, bottom = grid.around(points, SURROUNDINGS_PX)
    old, new = (grid.grey(picture, left, top, right, bottom) for picture in (before, picture))
    start = points - np.array([left, top], np.float32)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(old, new, start, np.empty_like(start), winSize=_FLOW_WINDOW_PX)
    back, returned, _ = cv2.calcOpticalFlowPyrLK(new, old, moved, np.empty_like(start), winSize=_FLOW_WINDOW_PX)
    inside = ((moved >= 0.0) & (moved <= np.array([right - left - 1, bottom - top - 1]))).all(axis=1)
    near = np.abs(back - start).max(axis=1) <= RETURN_PX
    kept = inside & near & (found.ravel() == 1) & (returned.ravel() == 1)
    return points[kept], points[kept] + np.asarray(moved - start, np.float32)[kept]


def _corners(sensed: Sensed, place: tuple[float, float], depth: float, reach_px: int) -> Points:
    """The best corners around `place` that lie at `depth`, and not on the thing's outline if there are others."""
    grid = GreyCopy.of(sensed.frame.seen)
    middle = np.array([[place[0] * grid.width, place[1] * grid.height]], np.float32)
    middle = np.minimum(middle, np.array([grid.width - 1, grid.height - 1], np.float32))
    left, top, right, bottom = grid.around(middle, reach_px)
    grey = grid.grey(sensed.frame.seen, left, top, right, bottom)
    spots = np.stack(np.meshgrid(np.arange(left, right), np.arange(top, bottom)), axis=-1).astype(np.float32)
    at = grid.depths(sensed.seen, spots.reshape(-1, 2)).reshape(grey.shape)
    same = (np.abs(at - depth) <= SAME_DEPTH / 2).astype(np.uint8)
    best = NO_POINTS
    for mask in (cast(Grey, cv2.erode(same, np.ones((5, 5), np.uint8))), same):
        found, quality = cv2.goodFeaturesToTrackWithQuality(grey, MOST_POINTS, 0.01, APART_PX, mask, blockSize=5)
        if cast(object, found) is not None:  # what OpenCV returns where there is none
            best = found.reshape(-1, 2)[quality.ravel() >= LEAST_CORNER]
        if len(best) >= LEAST_POINTS:
            break
    return np.asarray(best + np.array([left, top], np.float32), np.float32)
