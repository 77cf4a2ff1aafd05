"""Depth layers that live through time: mini-batch K-Means, warm-started, ordered near to far.

The update is Sculley's (2010, doi:10.1145/1772690.1772862), as in scikit-learn's `MiniBatchKMeans`.
Scalar centres that start in descending order stay so, because each cell is an interval; so layer 0
is always the nearest, and a layer keeps its identity from frame to frame. The start is the exact
optimum on a sorted sample (Wang & Song 2011, doi:10.32614/RJ-2011-015); centres that fall far behind
the optimum of a new frame (a cut, in whichever direction) start again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels.api import Centres, InverseDepth, Kernels
from .state import State

BATCH = 4096
START_POINTS, CHECK_POINTS = 192, 64  # sizes of the sorted samples for a start, and for the check of each frame
COLD_UPDATES = 10
WARM_UPDATES = 2
MEMORY_BATCHES = 12.0  # how many batches' worth of past the centres remember
CUT_INERTIA_RATIO = 3.0  # centres this much worse than the best ones belong to an earlier scene
INERTIA_FLOOR = 1e-5


class LayerTracker:
    """The centres of `count` layers, followed from frame to frame. One thread calls `update`."""

    def __init__(self, kernels: Kernels, count: int, seed: int = 0) -> None:
        self._kernels = kernels
        self.count = count
        self._rng = np.random.default_rng(seed)
        self._centres: Centres | None = None
        self._weights = np.zeros(count)

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another."""
        self._centres = None

    def state(self) -> State:
        return {"rng": self._rng.bit_generator.state, "centres": self._centres, "weights": self._weights}

    def restore(self, state: State) -> None:
        self._rng.bit_generator.state = state["rng"]
        self._centres, self._weights = state["centres"], state["weights"]

    def update(self, inverse_depth: InverseDepth) -> Centres:
        """Centres for this frame: `count` values, descending (near → far)."""
        values = inverse_depth.ravel()
        batch = values[self._rng.integers(0, values.size, BATCH)]
        if self._centres is None or self._is_cut(batch):
            self._start(batch, values)
        else:
            self._step(batch, WARM_UPDATES, values)
        assert self._centres is not None
        return self._centres

    def _start(self, batch: InverseDepth, values: InverseDepth) -> None:
        self._centres, _ = optimal_centres(_spread_sample(batch, START_POINTS), self.count)
        self._weights = np.zeros(self.count)
        self._step(batch, COLD_UPDATES, values)

    def _step(self, batch: InverseDepth, updates: int, values: InverseDepth) -> None:
        assert self._centres is not None
        for update in range(updates):
            if update:
                batch = values[self._rng.integers(0, values.size, BATCH)]
            self._centres, self._weights = self._kernels.cluster_update(batch, self._centres, self._weights)
        limit = MEMORY_BATCHES * BATCH / self.count
        self._weights = np.minimum(self._weights, limit)
        self._centres = _apart(self._centres)

    def _is_cut(self, batch: InverseDepth) -> bool:
        assert self._centres is not None
        points = _spread_sample(batch, CHECK_POINTS)
        _, best = optimal_centres(points, self.count)
        now = float(np.min((points[:, None] - self._centres) ** 2, axis=1).mean())
        return now > CUT_INERTIA_RATIO * max(best, INERTIA_FLOOR)


def _spread_sample(batch: InverseDepth, count: int) -> InverseDepth:
    """`count` evenly spaced order statistics, ascending."""
    return np.sort(batch)[batch.size // count // 2 :: batch.size // count][:count]


def optimal_centres(points: InverseDepth, count: int) -> tuple[Centres, float]:
    """The best `count` centres, descending, of ascending `points`, and the mean squared distance to them.

    Clusters of scalars are intervals, so dynamic programming over their borders finds the optimum.
    """
    size = len(points)
    sums = np.concatenate(([0.0], np.cumsum(points, dtype=np.float64)))
    squares = np.concatenate(([0.0], np.cumsum(points.astype(np.float64) ** 2)))
    first, end = np.arange(size + 1)[:, None], np.arange(size + 1)[None, :]
    spread = squares[end] - squares[first] - (sums[end] - sums[first]) ** 2 / np.maximum(end - first, 1)
    cost = np.where(end > first, np.maximum(spread, 0.0), np.inf)  # of one cluster that holds points first…end
    total, choices = cost[0], list[NDArray[np.intp]]()
    for _ in range(count - 1):
        totals = total[:, None] + cost
        choices.append(np.argmin(totals, axis=0))
        total = np.min(totals, axis=0)
    borders = [size]
    for choice in reversed(choices):
        borders.append(int(choice[borders[-1]]))
    ends, firsts = np.array(borders), np.array([*borders[1:], 0])
    return (sums[ends] - sums[firsts]) / (ends - firsts), float(total[size]) / size


def _apart(centres: Centres, least: float = 1e-4) -> Centres:
    """Descending centres moved apart where they coincide (a flat wall has one depth and still K layers)."""
    steps = np.arange(len(centres)) * least
    return (np.minimum.accumulate(centres + steps) - steps).astype(np.float64)
