"""Grids coarser than the picture: cells of so many pixels, parts of them, and the ways between sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..api import AnyPictureT
from .light import Light

Plane = NDArray[np.float32]  # h w
Tile = tuple[slice, slice]  # rows and columns
Chosen = tuple[NDArray[np.intp], ...]  # rows and columns of blocks, as of np.nonzero
AnyArray = TypeVar("AnyArray", bound=NDArray[np.float32 | np.uint16 | np.uint8])
TILE_HW = (64, 320)  # what is worked on together stays in the processor's cache


def halved(stack: Light, scale: int = 2) -> Light:
    """`c h w` → the means of cells of `scale` × `scale`; a rest at the border makes cells of its own."""
    return stack if scale == 1 else resized(stack, (-(-stack.shape[1] // scale), -(-stack.shape[2] // scale)))


def resized(stack: Light, size_hw: tuple[int, int]) -> Light:
    """`c h w` at another size: means of cells when smaller, bilinear when larger."""
    if stack.shape[1:] == size_hw:
        return stack
    height, width = size_hw
    how = cv2.INTER_AREA if height < stack.shape[1] or width < stack.shape[2] else cv2.INTER_LINEAR
    out = np.empty((len(stack), height, width), np.float32)
    for small, large in zip(out, stack, strict=True):
        cv2.resize(large, (width, height), dst=small, interpolation=how)
    return out


def shrunk(picture: AnyPictureT, scale: int) -> AnyPictureT:
    """The means of cells of `scale` × `scale` pixels, which divide the picture."""
    height, width = picture.shape[:2]
    if scale % 2 == 0:  # OpenCV is quick for 2 × 2
        half = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return shrunk(cast(AnyPictureT, half), scale // 2)
    if scale == 1:
        return picture
    means = cv2.blur(picture, (scale, scale))
    return cast(AnyPictureT, np.ascontiguousarray(means[scale // 2 :: scale, scale // 2 :: scale]))


@dataclass(frozen=True, slots=True)
class Blocks:
    """A picture cut into equal blocks, so that all blocks of one kind are worked on in one go.

    count_hw: how many. size_hw: of one in pixels, whole cells of `cell_px` pixels. The blocks fill the picture.
    """

    count_hw: tuple[int, int]
    size_hw: tuple[int, int]
    cell_px: int

    @classmethod
    def of(cls, picture_hw: tuple[int, int], size_hw: tuple[int, int], cell_px: int) -> Blocks:
        """For a picture whose sides are multiples of the blocks'."""
        return cls((picture_hw[0] // size_hw[0], picture_hw[1] // size_hw[1]), size_hw, cell_px)

    def extremes(self, plane: Plane) -> tuple[Plane, Plane]:
        """The least and the greatest value of each block; plane: in pixels."""
        (rows, columns), (high, wide) = self.count_hw, self.size_hw
        strips = plane.reshape(rows, high, columns * wide)
        least, greatest = strips.min(axis=1), strips.max(axis=1)  # rows first: these are long
        return least.reshape(rows, columns, wide).min(axis=2), greatest.reshape(rows, columns, wide).max(axis=2)

    def greatest_near(self, grid: Plane) -> Plane:
        """The greatest value of the cells of each block and of those around it."""
        (rows, columns), (high, wide) = self.count_hw, (side // self.cell_px for side in self.size_hw)
        around = cv2.dilate(grid, np.ones((3, 3), np.uint8)).reshape(rows, high, columns, wide)
        return np.asarray(around.max(axis=(1, 3)), np.float32)

    def take(self, full: AnyArray, chosen: Chosen) -> AnyArray:
        """Copies of the chosen blocks, `n h w` or `n h w c`, of an array in pixels."""
        return cast(AnyArray, self._cut(full)[chosen[0], :, chosen[1]])

    def put(self, full: AnyArray, chosen: Chosen, values: AnyArray) -> None:
        """Write the chosen blocks into an array in pixels."""
        self._cut(full)[chosen[0], :, chosen[1]] = values

    def enlarge(self, grid: AnyArray, chosen: Chosen) -> AnyArray:
        """What lies under the chosen blocks of an array in cells, in pixels: bilinear, `n h w` or `n h w c`."""
        if self.cell_px == 1:
            return self.take(grid, chosen)
        (high, wide), cell = (side // self.cell_px for side in self.size_hw), self.cell_px
        framed = cv2.copyMakeBorder(grid, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        windows = sliding_window_view(framed, (high + 2, wide + 2), axis=(0, 1))[::high, ::wide][chosen]
        if grid.ndim == 3:
            windows = np.moveaxis(windows, 1, -1)
        count, channels = len(windows), grid.shape[2:]
        tall = np.ascontiguousarray(windows).reshape(count * (high + 2), wide + 2, *channels)
        large = cv2.resize(tall, ((wide + 2) * cell, count * (high + 2) * cell), interpolation=cv2.INTER_LINEAR)
        large = large.reshape(count, (high + 2) * cell, (wide + 2) * cell, *channels)
        return cast(AnyArray, large[:, cell:-cell, cell:-cell])

    def _cut(self, full: AnyArray) -> AnyArray:
        """A view, `rows h columns w …`."""
        (rows, columns), (high, wide) = self.count_hw, self.size_hw
        return cast(AnyArray, full.reshape(rows, high, columns, wide, *full.shape[2:]))


def tiles(part: Tile, step: int, size_hw: tuple[int, int] = TILE_HW) -> Iterator[Tile]:
    """Pieces of a part of a picture, whole cells of `step` pixels each."""
    (high, wide), (rows, columns) = (-(-side // step) * step for side in size_hw), part
    for top in range(rows.start, rows.stop, high):
        for left in range(columns.start, columns.stop, wide):
            yield slice(top, min(top + high, rows.stop)), slice(left, min(left + wide, columns.stop))
