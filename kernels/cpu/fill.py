"""Values for what nothing showed, from what lies around: pull-push (Gortler et al. 1996, doi:10.1145/237170.237200)."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .light import Light

Plane = NDArray[np.float32]  # h w
Tile = tuple[slice, slice]  # rows and columns
SMALLEST_PX = 4
STRIP_PX = 32
TINY = np.float32(1e-6)


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


def enlarged(stack: Light, tile: Tile, scale: int) -> Light:
    """The part of `stack`, `c h w` in cells of `scale` pixels, that lies under a tile of whole cells: in pixels."""
    rows, columns = cells(tile, scale, cast(tuple[int, int], stack.shape[1:]))
    part = stack[:, rows, columns].copy()
    large = resized(part, (part.shape[1] * scale, part.shape[2] * scale))
    top, left = tile[0].start - rows.start * scale, tile[1].start - columns.start * scale
    return large[:, top : top + tile[0].stop - tile[0].start, left : left + tile[1].stop - tile[1].start]


def cells(tile: Tile, scale: int, size_hw: tuple[int, int]) -> Tile:
    """The cells of `scale` pixels under a tile, and one more on each side, as bilinear enlarging looks at them."""
    rows, columns = (
        slice(max(part.start // scale - 1, 0), min(part.stop // scale + 1, size))
        for part, size in zip(tile, size_hw, strict=True)
    )
    return rows, columns


def filled(seen: Light, visible: Plane) -> Light:
    """`seen` with its surroundings where it was hidden. Works in place.

    seen: `c h w`, each value times the share of its pixel that could be seen. visible: that share, in [0, 1].
    A pixel that was seen whole keeps its value.
    """
    guess = surroundings(seen, visible)
    height, width = visible.shape
    if height % 2 or width % 2:
        seen += (np.float32(1.0) - visible) * resized(guess, (height, width))
        return seen
    for top in range(0, height, STRIP_PX):  # a strip stays in the processor's cache
        rows = slice(top, min(top + STRIP_PX, height))
        hidden = np.float32(1.0) - visible[rows]
        if hidden.max() > 0.0:
            guessed = enlarged(guess, (rows, slice(0, width)), 2)
            guessed *= hidden
            seen[:, rows] += guessed
    return seen


def surroundings(seen: Light, visible: Plane) -> Light:
    """A smooth guess at every hidden value, at half the size of `seen`."""
    cells, share = halved(seen), halved(visible[None])[0]
    # Cells that are partly seen are known nearly as well as whole ones.
    known = np.minimum(share * np.float32(4.0), np.float32(1.0))
    cells *= known / np.maximum(share, TINY)
    if min(share.shape) < SMALLEST_PX:
        total = max(float(known.sum()), float(TINY))
        return cells + (np.float32(1.0) - known) * (cells.sum(axis=(1, 2), keepdims=True) / np.float32(total))
    return filled(cells, known)
