"""Where the planes of one picture lie in memory: each on its own grid, all in one array, with the grids to fill them.

The structures are those of `cells.cuh`, `planes.cuh` and `blur.cu`, field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import Lens, RefocusStyle
from ..cpu.blur import SMALLEST_RADIUS_PX, corner, rest_radius
from ..cpu.compose import block_size
from ..cpu.fill import SMALLEST_PX
from ..cpu.planes import Planes
from ..cpu.refocus import inward, scale_of
from ..errors import InputError

MOST_PLANES = 18
MOST_TAPS = 48  # on each side of the middle; only circles larger than the picture have more
FRONT, BACK, HIDDEN = range(3)
SIGMAS = 4.0  # how far a Gaussian's taps go

_LEVEL = np.dtype([(name, np.int32, MOST_PLANES) for name in ("start", "height", "width")])
_PLANE = np.dtype([("side", np.int32), ("scale", np.int32), ("inner", np.float32), ("outer", np.float32),
                   ("beyond", np.float32)])  # fmt: skip
_PLANES = np.dtype([("count", np.int32), ("plane", _PLANE, MOST_PLANES)])
_BLURS = np.dtype([("radius", np.float32, MOST_PLANES)]
                  + [(name, np.int32, MOST_PLANES) for name in ("reach", "step", "start")])  # fmt: skip
_SCENE = np.dtype([(name, np.int32) for name in ("height", "width", "depth_height", "depth_width", "top", "left",
                                                  "high", "wide", "base")]
                  + [(name, np.float32) for name in ("reach", "offset", "blunt", "front_px", "back_px")])  # fmt: skip

Struct = NDArray[Any]  # one item of a structured type: goes to a kernel by value
Grid = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """One plane. side: FRONT, BACK or HIDDEN. The rest as `Plane` in `planes.cuh`."""

    side: int
    scale: int
    inner_px: float
    outer_px: float
    beyond_px: float


def cuts_of(planes: Planes, base: int, style: RefocusStyle) -> tuple[Cut, ...]:
    """The planes before and behind the focus, outermost first, and, where some are before it, what they hide."""
    cuts: list[Cut] = []
    for side, radii_px in ((FRONT, planes.front), (BACK, planes.back)):
        beyond_px = 0.0
        for inner_px, outer_px in inward(radii_px):
            cuts.append(Cut(side, scale_of(outer_px, base, style.quality), inner_px, outer_px, beyond_px))
            beyond_px = outer_px
    if planes.front:
        cuts.append(Cut(HIDDEN, 1, 0.0, 0.0, 0.0))
    if len(cuts) > MOST_PLANES:
        raise InputError(
            f"got {len(cuts) - 1} planes to render; the CUDA kernels take at most {MOST_PLANES - 1} layers"
        )
    return tuple(cuts)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture mirrored on at all sides, so that every grid divides it. base: pixels along the finest cell."""

    height: int
    width: int
    top: int
    left: int
    high: int
    wide: int
    base: int

    @classmethod
    def of(cls, height: int, width: int, base: int) -> Frame:
        more_high, more_wide = (-side % whole for side, whole in zip((height, width), block_size(base), strict=True))
        return cls(height, width, more_high // 2, more_wide // 2, height + more_high, width + more_wide, base)

    @property
    def finest_hw(self) -> Grid:
        return self.high // self.base, self.wide // self.base

    def scene(self, depth_hw: Grid, lens: Lens, planes: Planes) -> Struct:
        """The struct `Scene`."""
        nearest = [side[0] if side else 0.0 for side in (planes.front, planes.back)]
        lengths = lens.reach_px, lens.focus * lens.reach_px, lens.dead_zone * lens.reach_px, *nearest
        inside = self.top, self.left, self.high, self.wide, self.base
        return np.array([(self.height, self.width, *depth_hw, *inside, *lengths)], _SCENE)


@dataclass(frozen=True, slots=True)
class Layout:
    """grids: of each plane, from its own to that of a few cells. starts: of each grid in the array of `size` cells."""

    grids: tuple[tuple[Grid, ...], ...]
    starts: tuple[tuple[int, ...], ...]
    size: int

    @classmethod
    def of(cls, cuts: Sequence[Cut], finest_hw: Grid) -> Layout:
        grids = tuple(tuple(_pyramid((finest_hw[0] // cut.scale, finest_hw[1] // cut.scale))) for cut in cuts)
        sizes = [high * wide for high, wide in chain.from_iterable(grids)]
        places = iter(np.cumsum([0, *sizes]).tolist())
        return cls(grids, tuple(tuple(next(places) for _ in pyramid) for pyramid in grids), sum(sizes))

    def levels(self) -> list[Struct]:
        """The structs `Level`, from every plane's own grid on; a plane that has no further grid has no height."""
        return [_level(row) for row in zip_longest(*self._places())]

    def last(self) -> Struct:
        """Every plane's smallest grid."""
        return _level([places[-1] for places in self._places()])

    def _places(self) -> list[list[tuple[int, int, int]]]:
        return [
            [(start, *grid) for start, grid in zip(starts, grids, strict=True)]
            for starts, grids in zip(self.starts, self.grids, strict=True)
        ]


def _pyramid(grid: Grid) -> Iterator[Grid]:
    yield grid
    while True:
        grid = -(-grid[0] // 2), -(-grid[1] // 2)
        yield grid
        if min(grid) < SMALLEST_PX:
            return


def _level(places: Sequence[tuple[int, int, int] | None]) -> Struct:
    out = np.zeros(1, _LEVEL)
    for index, place in enumerate(places):
        if place is not None:
            for name, value in zip(("start", "height", "width"), place, strict=True):
                out[name][0, index] = value
    return out


def without(level: Struct, cuts: Sequence[Cut]) -> Struct:
    """A level without what planes in front hide: that has no blur, and is used at half its size."""
    out = level.copy()
    for index, cut in enumerate(cuts):
        if cut.side == HIDDEN:
            out["height"][0, index] = 0
    return out


def planes_of(cuts: Sequence[Cut]) -> Struct:
    """The struct `Planes`."""
    out = np.zeros(1, _PLANES)
    out["count"] = len(cuts)
    for index, cut in enumerate(cuts):
        out["plane"][0, index] = (cut.side, cut.scale, cut.inner_px, cut.outer_px, cut.beyond_px)
    return out


def blurs_of(cuts: Sequence[Cut], base: int, style: RefocusStyle) -> tuple[Struct, int]:
    """The struct `Blurs`, and how many weights its planes have."""
    out = np.zeros(1, _BLURS)
    start = 0
    for index, cut in enumerate(cuts):
        radius, reach = _taps(cut, base, style)
        step = -(-reach // MOST_TAPS) or 1
        reach = -(-reach // step)
        for name, value in (("radius", radius), ("reach", reach), ("step", step), ("start", start)):
            out[name][0, index] = value
        start += (2 * reach + 1) ** 2
    return out, start


def _taps(cut: Cut, base: int, style: RefocusStyle) -> tuple[float, int]:
    """The radius of a plane's blur and how far its taps reach, in its cells."""
    radius = rest_radius(cut.outer_px, cut.scale * base)
    if cut.side == HIDDEN or radius < SMALLEST_RADIUS_PX:
        return 0.5, 0  # one tap
    if style.shape == "gaussian":
        return radius, round(SIGMAS * radius / 2.0)
    radius = max(0.25, radius**2 - 1.0 / 3.0) ** 0.5  # as in `..cpu.blur.aperture`: a cell's own square has a variance
    return radius, int(np.ceil(radius * corner(style.corners)))
