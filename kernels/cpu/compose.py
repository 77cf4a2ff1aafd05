"""The last step of refocus: what is in focus, between what lies before and behind it, at the picture's size.

With F and B the light before and behind the focus, f and b their coverage, s the share of a pixel that is in focus,
L its light, v the share that is not before the focus, and H a guess at what is in focus where the front hid it
(h its coverage), "over" three times is

    F + (1 − f) · (s · L + (1 − s) · B + (1 − v) · (H − h · B))

Only L, s and v are as fine as the picture; everything else is blurred, and is multiplied out on the small grid.
Where nothing is in focus, that grid holds the result already; where everything is, the picture does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import AnyPicture, AnyPictureT, InverseDepth
from .grids import Blocks, Chosen, Plane, Tile, resized
from .light import Coding, Levels, Light
from .planes import Ramps

HARDLY = np.float32(1e-3)
COARSEST = 8  # cells of the finest grid along one of the coarsest
BLOCK_HW = (32, 64)
AT_ONCE = 48  # blocks: what is worked on together stays in the processor's cache
OWN, FRONT, BACK, GUESS = 1, 2, 4, 8  # what shows in a block


@dataclass(frozen=True, slots=True, repr=False)
class Grid:
    """`4 h w` light times coverage, and coverage, in cells of `cell_px` pixels."""

    stack: Light
    cell_px: int

    def at(self, size_hw: tuple[int, int]) -> Light:
        """At another number of cells."""
        return resized(self.stack, size_hw)


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
        held = far[:, *self.where]
        held *= 1.0 - self.stack[3]
        held += self.stack
        return far


@dataclass(frozen=True, slots=True, repr=False)
class Sides:
    """What lies before the focus and behind it; hidden: a guess at what is in focus where `front` hid it."""

    front: Grid | None
    hidden: Grid | None
    back: Grid | None


@dataclass(frozen=True, slots=True, repr=False)
class _Around:
    """All that is not in focus, as the picture shows it, on one grid in cells of `cell_px` pixels.

    front, back and guess: F, (1 − f) · B and (1 − f) · (H − h · B), `3 h w`. through: 1 − f, `h w`. None is nothing.
    """

    cell_px: int
    through: Plane | None
    front: Light | None
    back: Light | None
    guess: Light | None

    @classmethod
    def of(cls, sides: Sides, picture_hw: tuple[int, int], coarsest_px: int) -> _Around:
        """coarsest_px: what cells measure at most."""
        finest_px = min(grid.cell_px for grid in (sides.front, sides.back) if grid is not None)
        cell_px = min(finest_px, coarsest_px)
        size_hw = picture_hw[0] // cell_px, picture_hw[1] // cell_px
        front, hidden, back = (
            None if grid is None else grid.at(size_hw) for grid in (sides.front, sides.hidden, sides.back)
        )
        behind = None if back is None else back[:3]
        if front is None:
            return cls(cell_px, None, None, behind, None)
        through = np.float32(1.0) - front[3]
        guess = None
        if hidden is not None:
            guess = (hidden[:3] if behind is None else hidden[:3] - hidden[3] * behind) * through
        return cls(cell_px, through, front[:3], None if behind is None else behind * through, guess)

    def shows(self, blocks: Blocks, inverse_depth: InverseDepth, ramps: Ramps) -> NDArray[np.intp]:
        """What shows in each block: a sum of OWN, FRONT, BACK and GUESS."""
        farthest, nearest = blocks.extremes(inverse_depth)
        before = nearest > ramps.front[0]
        kinds = OWN * ((nearest > ramps.back[1]) & (farthest < ramps.front[1]))
        if self.through is not None:
            kinds |= FRONT * (blocks.greatest_near(np.float32(1.0) - self.through) > HARDLY)
        if self.back is not None:
            kinds |= BACK * ((farthest < ramps.back[0]) | before)
        if self.guess is not None:
            kinds |= GUESS * before
        return kinds

    def parts(self, kind: int) -> list[Light | None]:
        """front, back and guess, as far as they show."""
        named = ((FRONT, self.front), (BACK, self.back), (GUESS, self.guess))
        return [stack if kind & bit else None for bit, stack in named]


def compose(
    picture: AnyPictureT, inverse_depth: InverseDepth, ramps: Ramps, sides: Sides, base: int, coding: Coding
) -> AnyPictureT:
    """The picture with `sides` behind and over it; base: pixels along a cell of the finest grid."""
    size_hw, block_hw = (picture.shape[0], picture.shape[1]), block_size(base)
    around = _Around.of(sides, size_hw, 2 * base)
    blocks = Blocks.of(size_hw, block_hw, around.cell_px)
    kinds = around.shows(blocks, inverse_depth, ramps)
    out = picture.copy()
    for kind in np.unique(kinds).tolist():
        if kind == OWN:
            continue  # in focus, with nothing before it
        chosen = np.nonzero(kinds == kind)
        if not kind & OWN:
            blocks.put(out, chosen, _alone(around, blocks, chosen, kind, coding))
            continue
        for first in range(0, len(chosen[0]), AT_ONCE):
            some = chosen[0][first : first + AT_ONCE], chosen[1][first : first + AT_ONCE]
            shares = ramps.in_focus(blocks.take(inverse_depth, some))
            blocks.put(out, some, _mixed(blocks.take(picture, some), shares, around, blocks, some, kind, coding))
    return out


def block_size(base: int) -> tuple[int, int]:
    """Height and width of what is looked at together: about BLOCK_HW, whole cells of every grid."""
    coarsest_px = base * COARSEST
    return -(-BLOCK_HW[0] // coarsest_px) * coarsest_px, -(-BLOCK_HW[1] // coarsest_px) * coarsest_px


def _alone(around: _Around, blocks: Blocks, chosen: Chosen, kind: int, coding: Coding) -> AnyPicture:
    """Where nothing is in focus."""
    parts = [part for part in around.parts(kind) if part is not None]
    total = sum(parts[1:], start=parts[0])
    if coding.roots:
        return coding.codes_of(blocks.enlarge(cast(Light, cv2.merge(list(total))), chosen))
    levels = cast(Levels, cv2.merge([coding.levels_of(channel) for channel in total]))
    return coding.encoded(blocks.enlarge(levels, chosen))


def _mixed(
    picture: AnyPictureT,
    shares: tuple[Plane, Plane],
    around: _Around,
    blocks: Blocks,
    chosen: Chosen,
    kind: int,
    coding: Coding,
) -> AnyPictureT:
    """Where something is in focus. picture: the chosen blocks, `n h w 3`. shares: s and v, `n h w`."""
    (own, visible), (front, back, guess) = shares, around.parts(kind)
    behind, before = np.float32(1.0) - own, np.float32(1.0) - visible
    if front is not None and around.through is not None:
        own = own * blocks.enlarge(around.through, chosen)
    out = np.empty_like(picture)
    for index in range(3):
        light = coding.light_of(np.ascontiguousarray(picture[..., index]))
        light *= own
        if front is not None:
            light += blocks.enlarge(front[index], chosen)
        for stack, weight in ((back, behind), (guess, before)):
            if stack is not None:
                light += weight * blocks.enlarge(stack[index], chosen)
        out[..., index] = coding.codes_of(light)
    return out
