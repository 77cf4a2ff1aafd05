"""Values for what nothing showed, from what lies around: pull-push (Gortler et al. 1996, doi:10.1145/237170.237200)."""

from __future__ import annotations

import numpy as np

from .grids import Plane, halved, resized
from .light import Light

SMALLEST_PX = 4
TINY = np.float32(1e-6)


def filled(seen: Light, visible: Plane) -> Light:
    """`seen` with its surroundings where it was hidden. Works in place.

    seen: `c h w`, each value times the share of its pixel that could be seen. visible: that share, in [0, 1].
    A pixel that was seen whole keeps its value.
    """
    guess = resized(surroundings(seen, visible), (visible.shape[0], visible.shape[1]))
    guess *= np.float32(1.0) - visible
    seen += guess
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
