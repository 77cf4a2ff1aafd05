"""Layered refocus on the CPU. The specification is `..api.Kernels.refocus`.

The picture is cut into planes, each with colour and soft coverage. What a plane has behind nearer ones is
filled in from its own surroundings, colour and coverage alike; then it is blurred by its own circle of
confusion, and the planes are laid over each other, far to near, in linear light:

    out = plane + (1 − its coverage) · what lies behind it

Blurred planes need few pixels: each lives on a grid as coarse as its radius allows. "Over" is associative, so
both sides of the focus are added up from their coarsest plane to their finest. What is in focus keeps its own
pixels, and parts of the picture that are wholly in focus are copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from ..api import AnyPicture, AnyPictureT, Centres, InverseDepth, Lens, Quality, RefocusStyle
from .blur import blur, rest_radius
from .compose import COARSEST, Grid, Patch, Sides, block_size, compose
from .depth import resize
from .fill import filled, surroundings
from .grids import Plane, Tile, halved, resized, shrunk, tiles
from .light import Coding, Light, coding_of
from .planes import SHARP_PX, Ramps, place, share_beyond, signed_radii

FINEST_HEIGHT_PX: dict[Quality, int] = {"fast": 180, "fine": 720}  # of the grid for the planes of least blur
CELLS_PER_RADIUS: dict[Quality, float] = {"fast": 2.0, "fine": 2.5}  # at least; a plane's grid is as coarse as that
EDGE_CELLS = 2.0  # a step of the circle of confusion between two cells that makes an edge, in cells
MIXED = np.float32(0.2)  # what a cell at an edge counts for, against others of its plane


def refocus(
    picture: AnyPictureT, inverse_depth: InverseDepth, centres: Centres, lens: Lens, style: RefocusStyle
) -> AnyPictureT:
    height, width = picture.shape[:2]
    base = max(1, round(height / FINEST_HEIGHT_PX[style.quality]))
    planes = place(centres, lens, smallest_radius(base), height)
    if not planes.front and not planes.back:
        return picture.copy()
    padded, depth, inside = _padded(picture, resize(inverse_depth, (height, width)), block_size(base))
    coding, ramps = coding_of(picture, style.transfer), Ramps.of(planes, lens)
    shot = _Shot.of(_light(padded, base, coding, style), depth, lens, base, style)
    front, back, hidden = _front(shot, planes.front), _back(shot, planes.back), None
    if front is not None:
        share, visible = ramps.in_focus(shot.depth)
        everywhere = slice(0, share.shape[0]), slice(0, share.shape[1])
        hidden = Grid(surroundings(shot.seen(share, everywhere), visible), 2 * base)
    out = compose(padded, depth, ramps, Sides(front, hidden, back), base, coding)[inside]
    return cast(AnyPictureT, np.ascontiguousarray(out))


def _light(picture: AnyPicture, base: int, coding: Coding, style: RefocusStyle) -> Light:
    """The picture's light, `3 h w`, in cells of `base` × `base` pixels."""
    if style.transfer == "srgb":
        return coding.to_light(shrunk(picture, base))
    # sRGB may be averaged as it is, at half the cost. The mean of a lamp and the night around it in code values of HDR
    # would be a tenth of their light.
    return halved(coding.to_light(picture), base)


def _padded(
    picture: AnyPictureT, depth: InverseDepth, whole_hw: tuple[int, int]
) -> tuple[AnyPictureT, InverseDepth, Tile]:
    """Mirrored on at all sides, so that blocks and grids divide the picture, and where in it the picture is."""
    height, width = picture.shape[:2]
    high, wide = (-side % whole for side, whole in zip((height, width), whole_hw, strict=True))
    top, left = high // 2, wide // 2
    if high or wide:
        edges = (top, high - top, left, wide - left)
        picture = cast(AnyPictureT, cv2.copyMakeBorder(picture, *edges, cv2.BORDER_REFLECT))
        depth = cast(InverseDepth, cv2.copyMakeBorder(depth, *edges, cv2.BORDER_REFLECT))
    return picture, depth, (slice(top, top + height), slice(left, left + width))


@dataclass(frozen=True, slots=True, repr=False)
class _Shot:
    """The picture on the finest grid: `3 h w` light, `h w` inverse depth and signed radii in pixels.

    base: pixels along a cell.
    """

    light: Light
    depth: InverseDepth
    radii: Plane
    base: int
    style: RefocusStyle

    @classmethod
    def of(cls, light: Light, depth: InverseDepth, lens: Lens, base: int, style: RefocusStyle) -> _Shot:
        middle = base // 2  # a cell has the depth of its middle pixel: a mean would lie between two surfaces
        depth = np.ascontiguousarray(depth[middle::base, middle::base])
        return cls(light, depth, signed_radii(depth, lens), base, style)

    def seen(self, share: Plane, part: Tile, scale: int = 1) -> Light:
        """A part of a plane as the picture shows it: light times coverage, and coverage.

        share: of the whole picture. Returns `4 h w`, means of `scale` × `scale` cells.
        """
        top, left = part[0].start, part[1].start
        out = np.zeros((4, (part[0].stop - top) // scale, (part[1].stop - left) // scale), np.float32)
        for rows, columns in tiles(part, COARSEST):
            own = share[rows, columns]
            if own.max() > 0.0:
                lit = np.empty((4, *own.shape), np.float32)
                np.multiply(self.light[:, rows, columns], own, out=lit[:3])
                lit[3] = own
                y, x = (
                    slice((span.start - at) // scale, (span.stop - at) // scale)
                    for span, at in ((rows, top), (columns, left))
                )
                out[:, y, x] = halved(lit, scale)
        return out

    def blurred(self, share: Plane, visible: Plane, radius_px: float, everywhere: bool = False) -> Patch:
        """A plane on the grid of its radius: what was hidden is filled in, then all of it is blurred.

        What it hides under nearer things is of interest near its own pixels only, unless nothing lies behind it.
        """
        scale = scale_of(radius_px, self.base, self.style.quality)
        height, width = share.shape
        whole = slice(0, height), slice(0, width)
        part = whole if everywhere else _support(share, round(radius_px / self.base) + COARSEST)
        seen = filled(self.seen(share, part, scale), halved(np.ascontiguousarray(visible[part])[None], scale)[0])
        rows, columns = (slice(span.start // scale, span.stop // scale) for span in part)
        stack = blur(seen, rest_radius(radius_px, scale * self.base), self.style)
        return Patch(stack, (rows, columns), (height // scale, width // scale))

    def purity(self) -> Plane:
        """How far the light of each cell is its own; cells beside something much nearer hold some of its light."""
        if self.base == 1:
            return np.ones((), np.float32)
        nearest = cv2.dilate(self.radii, np.ones((3, 3), np.uint8))
        return np.where(nearest - self.radii > EDGE_CELLS * self.base, MIXED, np.float32(1.0))

    def grid(self, stack: Light | None) -> Grid | None:
        """With the size of its cells in pixels."""
        return None if stack is None else Grid(stack, self.base * self.radii.shape[0] // stack.shape[1])


def _front(shot: _Shot, radii_px: Sequence[float]) -> Grid | None:
    """What lies before the focus, blurred and added up, on the grid of the plane of least blur."""
    total: Light | None = None
    nearer = np.zeros_like(shot.radii)
    for inner_px, outer_px in inward(radii_px):
        reached = share_beyond(shot.radii, inner_px, outer_px)
        plane = shot.blurred(reached - nearer, 1.0 - nearer, outer_px)
        total = plane.alone() if total is None else plane.under(resized(total, plane.grid_hw))
        nearer = reached
    return shot.grid(total)


def _back(shot: _Shot, radii_px: Sequence[float]) -> Grid | None:
    """What lies behind the focus, as `_front`."""
    total: Light | None = None
    farther = np.zeros_like(shot.radii)
    purity = shot.purity()
    for inner_px, outer_px in inward(radii_px):
        reached = share_beyond(-shot.radii, inner_px, outer_px)
        reached *= purity
        plane = shot.blurred(reached - farther, reached, outer_px, everywhere=total is None)
        total = plane.alone() if total is None else plane.over(resized(total, plane.grid_hw))
        farther = reached
    return shot.grid(total)


def scale_of(radius_px: float, base: int, quality: Quality) -> int:
    """How many cells of the finest grid, of `base` pixels, one of the grid for a plane of this radius measures."""
    scale = 1
    while scale < COARSEST and radius_px >= 2.0 * scale * base * CELLS_PER_RADIUS[quality]:
        scale *= 2
    return scale


def smallest_radius(base: int) -> float:
    """The smallest circle of confusion, in pixels, that a grid in cells of `base` pixels shows."""
    return max(1.0, (4.0 * (base**2 - 1) / 3.0) ** 0.5)


def _support(share: Plane, reach: int) -> Tile:
    """Rows and columns, whole cells of the coarsest grid, within `reach` of where a plane has a share."""
    spans: list[slice] = []
    for axis, size in ((1, share.shape[0]), (0, share.shape[1])):
        held = np.flatnonzero(share.max(axis=axis))
        first, last = (int(held[0]), int(held[-1]) + 1) if held.size else (0, 0)
        start, stop = max(first - reach, 0) // COARSEST, -(-min(last + reach, size) // COARSEST)
        spans.append(slice(start * COARSEST, stop * COARSEST))
    return spans[0], spans[1]


def inward(radii_px: Sequence[float]) -> list[tuple[float, float]]:
    """Each plane's radius with that of the plane before it on the way to the focus, the largest first."""
    return list(zip((SHARP_PX, *radii_px), radii_px))[::-1]
