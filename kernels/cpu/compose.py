"""The last step of refocus: what is in focus, between what lies before and behind it, at the picture's size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..api import Picture
from .fill import Plane, Tile, cells, enlarged
from .light import Light, to_light, to_srgb

TILE_HW = (64, 320)  # what is worked on together stays in the processor's cache
TILE_CELLS = 8  # tiles are whole cells of grids up to so many times coarser than the finest
HARDLY = np.float32(1e-3)
Shares = Callable[[Tile], tuple[Plane, Plane]]  # of a tile: the share in focus, and the share not before the focus


@dataclass(frozen=True, slots=True, repr=False)
class Grid:
    """`4 h w` light times coverage, and coverage, in cells of `cell_px` pixels."""

    stack: Light
    cell_px: int

    def under(self, tile: Tile) -> Light:
        """In pixels; fresh memory."""
        return enlarged(self.stack, tile, self.cell_px)

    def covers(self, tile: Tile) -> bool:
        """Whether anything of it shows in a tile."""
        height, width = self.stack.shape[1:]
        return bool(self.stack[(3, *cells(tile, self.cell_px, (height, width)))].max() > HARDLY)


@dataclass(frozen=True, slots=True, repr=False)
class Patch:
    """One plane where it is not empty: `4 h w` at `where` on a grid of `grid_hw`."""

    stack: Light
    where: Tile
    grid_hw: tuple[int, int]

    def alone(self) -> Light:
        """The whole grid with nothing else on it."""
        if self.stack.shape[1:] == self.grid_hw:
            return self.stack
        out = np.zeros((4, *self.grid_hw), np.float32)
        out[:, *self.where] = self.stack
        return out

    def under(self, near: Light) -> Light:
        """`near`, of the grid's size, with the plane added behind it. Works in place."""
        held = near[:, *self.where]
        held += (1.0 - held[3]) * self.stack
        return near

    def over(self, far: Light) -> Light:
        """`far`, of the grid's size, with the plane laid over it. Works in place."""
        over(self.stack, far[:, *self.where])
        return far


@dataclass(frozen=True, slots=True, repr=False)
class Sides:
    """What lies before the focus and behind it; hidden: a guess at what is in focus where `front` hid it."""

    front: Grid | None
    hidden: Grid | None
    back: Grid | None


def compose(picture: Picture, sides: Sides, shares: Shares, base: int) -> Picture:
    """The picture with `sides` behind and over it; base: pixels along a cell of the finest grid."""
    height, width = picture.shape[:2]
    out = picture.copy()
    blurred = None
    if sides.back is not None and base > 1:
        small = to_srgb(sides.back.stack[:3].copy())
        blurred = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    for tile in tiles((slice(0, height), slice(0, width)), base * TILE_CELLS):
        share, visible = shares(tile)
        covered = sides.front is not None and sides.front.covers(tile)
        if share.min() >= 1.0 and not covered:
            continue
        if covered or blurred is None:
            out[tile] = _in_linear_light(picture[tile], tile, sides, share, visible)
        else:
            # Both show the same surface, or meet at an edge one pixel wide: there sRGB will do, at a third of the cost.
            out[tile] = cv2.blendLinear(picture[tile], blurred[tile], share, 1.0 - share)
    return out


def _in_linear_light(picture: Picture, tile: Tile, sides: Sides, share: Plane, visible: Plane) -> Picture:
    sharp = np.empty((4, *share.shape), np.float32)
    np.multiply(to_light(picture), share, out=sharp[:3])
    sharp[3] = share
    if sides.hidden is not None and visible.min() < 1.0:
        guess = sides.hidden.under(tile)
        guess *= 1.0 - visible
        sharp += guess
    if sides.back is not None:
        sharp = over(sharp, sides.back.under(tile))
    if sides.front is not None:
        sharp = over(sides.front.under(tile), sharp)
    return to_srgb(sharp[:3])


def over(near: Light, far: Light) -> Light:
    """`near` laid over `far`, both `4 h w`. Works in place, on `far`."""
    far *= 1.0 - near[3]
    far += near
    return far


def tiles(part: Tile, step: int, size_hw: tuple[int, int] = TILE_HW) -> Iterator[Tile]:
    """Pieces of a part of a picture, whole cells of `step` pixels each."""
    (high, wide), (rows, columns) = (-(-side // step) * step for side in size_hw), part
    for top in range(rows.start, rows.stop, high):
        for left in range(columns.start, columns.stop, wide):
            yield slice(top, min(top + high, rows.stop)), slice(left, min(left + wide, columns.stop))
