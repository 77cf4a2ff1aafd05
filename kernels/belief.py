"""What is known of depth through time, and how pictures move: what the kernels of `api.Kernels` hand to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_NOISE = 0.006  # of a net's inverse depth, before more is known


@dataclass(frozen=True, slots=True, repr=False)
class Motion:
    """How a small picture came out of the one before it; `h' w'` float32.

    flow: `h' w' 2`, what to add to a pixel's (x, y) to find it in the picture before. new: 0–1, 1 = shows what no
    motion brings from there. stirred: 0–1, 1 = something near looks otherwise than the same place did before.
    """

    flow: NDArray[np.float32]
    new: NDArray[np.float32]
    stirred: NDArray[np.float32]


@dataclass(frozen=True, slots=True, repr=False)
class Belief:
    """What is known of the inverse depth from all frames until now.

    depth: `h w`. noise: how far the net strays from it, as a standard deviation; on a GPU an array of one may hold it.
    The rest is `h' w'` float32, on the grid of the pictures that motion is seen in. weight: how many frames' worth
    `depth` holds, 0 = nothing. drift: running mean of what new frames add to it. stirred: as in `Motion`, the most
    since the last depth of the net.
    """

    depth: NDArray[np.float32]
    weight: NDArray[np.float32]
    drift: NDArray[np.float32]
    stirred: NDArray[np.float32]
    noise: float

    @classmethod
    def first(cls, depth: NDArray[np.float32], grid_hw: tuple[int, int], noise: float = FIRST_NOISE) -> Belief:
        """After one frame."""
        nothing = np.zeros(grid_hw, np.float32)
        return cls(depth, np.ones(grid_hw, np.float32), nothing, nothing, noise)
