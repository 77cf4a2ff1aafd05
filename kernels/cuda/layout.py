"""Where the planes of one picture lie in memory: each on its own grid, all in one array, with the grids to fill them.

The structures are those of `cells.cuh`, `planes.cuh` and `shot.cuh`, field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
SIZE_STEP, COUNT_STEP = 8, 4096  # what room for weights is rounded up to, to stay the same while radii change a little

_LEVEL = np.dtype([(name, np.int32, MOST_PLANES) for name in ("start", "height", "width")])
_PLANE = np.dtype([("side", np.int32), ("scale", np.int32), ("inner", np.float32), ("outer", np.float32),
                   ("beyond", np.float32)])  # fmt: skip
_PLANES = np.dtype([("count", np.int32), ("plane", _PLANE, MOST_PLANES)])
_BLURS = np.dtype([("radius", np.float32, MOST_PLANES)]
                  + [(name, np.int32, MOST_PLANES) for name in ("reach", "step", "start")])  # fmt: skip
_SCENE = np.dtype([(name, np.int32) for name in ("height", "width", "depth_height", "depth_width", "top", "left",
                                                  "high", "wide", "base")]
                  + [(name, np.float32) for name in ("reach", "offset", "blunt", "front_px", "back_px")])  # fmt: skip
_SHOT = np.dtype([("scene", _SCENE), ("planes", _PLANES), ("blurs", _BLURS)])

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


@dataclass(frozen=True, slots=True, repr=False)
class Layout:
    """Where every plane's grids lie in one array of `size` cells.

    levels: the structs `Level`, from every plane's own grid on; a plane that has no further grid has no height. own:
    the first, without what planes in front hide: that has no blur, and is used at half its size. last: every plane's
    smallest grid. extents: the threads that cover each level.
    """

    size: int
    levels: tuple[Struct, ...]
    own: Struct
    last: Struct
    extents: tuple[tuple[int, int, int], ...]


@lru_cache(maxsize=64)
def layout_of(shapes: tuple[tuple[int, int], ...], finest_hw: Grid) -> Layout:
    """shapes: side and scale of each plane. It stays the same while focus and aperture change a little."""
    grids = [list(_pyramid((finest_hw[0] // scale, finest_hw[1] // scale))) for _, scale in shapes]
    sizes = [high * wide for high, wide in chain.from_iterable(grids)]
    begins = iter(np.cumsum([0, *sizes]).tolist())
    places = [[(next(begins), *grid) for grid in pyramid] for pyramid in grids]
    rows = list(zip_longest(*places))
    own = [None if side == HIDDEN else place for (side, _), place in zip(shapes, rows[0], strict=True)]
    extents = tuple(
        (max(place[2] for place in row if place), max(place[1] for place in row if place), len(shapes)) for row in rows
    )
    return Layout(sum(sizes), tuple(map(_level, rows)), _level(own), _level([row[-1] for row in places]), extents)


def _pyramid(grid: Grid) -> Iterator[Grid]:
    yield grid
    while True:
        grid = -(-grid[0] // 2), -(-grid[1] // 2)
        yield grid
        if min(grid) < SMALLEST_PX:
            return


def _level(places: Sequence[tuple[int, int, int] | None]) -> Struct:
    return _struct(_LEVEL, [place or (0, 0, 0) for place in places])


def _struct(kind: np.dtype[Any], rows: Sequence[tuple[float, ...]]) -> Struct:
    """Of arrays: each field holds a column of `rows`, and 0 where there are no more planes."""
    out = np.zeros(1, kind)
    for name, column in zip(kind.names or (), zip(*rows, strict=True), strict=True):
        out[name][0, : len(rows)] = column
    return out


@dataclass(frozen=True, slots=True, repr=False)
class Blurs:
    """struct: `Blurs` of `shot.cuh`. size: at least as many taps as the largest blur has along a side.

    count: at least as many weights as all have.
    """

    struct: Struct
    size: int
    count: int


def shot_of(scene: Struct, cuts: Sequence[Cut], blurs: Blurs) -> NDArray[np.uint8]:
    """The struct `Shot`, as bytes."""
    out = np.zeros(1, _SHOT)
    out["scene"], out["planes"], out["blurs"] = scene, _planes(cuts), blurs.struct
    return out.view(np.uint8)


def _planes(cuts: Sequence[Cut]) -> Struct:
    out = np.zeros(1, _PLANES)
    out["count"] = len(cuts)
    rows = [(cut.side, cut.scale, cut.inner_px, cut.outer_px, cut.beyond_px) for cut in cuts]
    out["plane"][0, : len(cuts)] = np.array(rows, _PLANE)
    return out


def blurs_of(cuts: Sequence[Cut], base: int, style: RefocusStyle) -> Blurs:
    rows: list[tuple[float, int, int, int]] = []
    start = 0
    for cut in cuts:
        radius, reach = _taps(cut, base, style)
        step = -(-reach // MOST_TAPS) or 1
        reach = -(-reach // step)
        rows.append((radius, reach, step, start))
        start += (2 * reach + 1) ** 2
    size = 2 * max(reach for _, reach, _, _ in rows) + 1
    return Blurs(_struct(_BLURS, rows), _rounded_up(size, SIZE_STEP), _rounded_up(start, COUNT_STEP))


def _rounded_up(number: int, step: int) -> int:
    return -(-number // step) * step


def _taps(cut: Cut, base: int, style: RefocusStyle) -> tuple[float, int]:
    """The radius of a plane's blur and how far its taps reach, in its cells."""
    radius = rest_radius(cut.outer_px, cut.scale * base)
    if cut.side == HIDDEN or radius < SMALLEST_RADIUS_PX:
        return 0.5, 0  # one tap
    if style.shape == "gaussian":
        return radius, round(SIGMAS * radius / 2.0)
    radius = max(0.25, radius**2 - 1.0 / 3.0) ** 0.5  # as in `..cpu.blur.aperture`: a cell's own square has a variance
    return radius, int(np.ceil(radius * corner(style.corners)))
