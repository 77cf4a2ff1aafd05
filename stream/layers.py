"""Depth layers that live through time: mini-batch K-Means, warm-started, ordered near to far.

The update is Sculley's (2010, doi:10.1145/1772690.1772862), as in scikit-learn's `MiniBatchKMeans`.
Scalar centres that start in descending order stay so, because each cell is an interval; so layer 0
is always the nearest, and a layer keeps its identity from frame to frame.
"""

from __future__ import annotations

import numpy as np

from ..kernels.api import Centres, InverseDepth, Kernels

BATCH = 4096
COLD_UPDATES = 30
WARM_UPDATES = 2
MEMORY_BATCHES = 12.0  # how many batches' worth of past the centres remember
CUT_INERTIA_RATIO = 4.0  # a jump of the mean squared distance by this factor is a scene cut
INERTIA_FLOOR = 1e-5


class LayerTracker:
    """The centres of `count` layers, followed from frame to frame. One thread calls `update`."""

    def __init__(self, kernels: Kernels, count: int, seed: int = 0) -> None:
        self._kernels = kernels
        self._count = count
        self._rng = np.random.default_rng(seed)
        self._centres: Centres | None = None
        self._weights = np.zeros(count)
        self._inertia = 0.0

    def update(self, inverse_depth: InverseDepth) -> Centres:
        """Centres for this frame: `count` values, descending (near → far)."""
        values = inverse_depth.ravel()
        batch = values[self._rng.integers(0, values.size, BATCH)]
        if self._centres is None or self._is_cut(batch):
            self._start(values)
        else:
            self._step(batch, WARM_UPDATES, values)
        assert self._centres is not None
        self._inertia = _inertia(batch, self._centres)
        return self._centres

    def _start(self, values: InverseDepth) -> None:
        shares = (np.arange(self._count)[::-1] + 0.5) / self._count
        self._centres = _apart(np.quantile(values, shares).astype(np.float64))
        self._weights = np.zeros(self._count)
        self._step(values[self._rng.integers(0, values.size, BATCH)], COLD_UPDATES, values)

    def _step(self, batch: InverseDepth, updates: int, values: InverseDepth) -> None:
        assert self._centres is not None
        for update in range(updates):
            if update:
                batch = values[self._rng.integers(0, values.size, BATCH)]
            self._centres, self._weights = self._kernels.cluster_update(batch, self._centres, self._weights)
        limit = MEMORY_BATCHES * BATCH / self._count
        self._weights = np.minimum(self._weights, limit)
        self._centres = _apart(self._centres)

    def _is_cut(self, batch: InverseDepth) -> bool:
        assert self._centres is not None
        return _inertia(batch, self._centres) > CUT_INERTIA_RATIO * max(self._inertia, INERTIA_FLOOR)


def _inertia(batch: InverseDepth, centres: Centres) -> float:
    """Mean squared distance to the nearest centre."""
    return float(np.min((batch[:, None] - centres[None, :]) ** 2, axis=1).mean())


def _apart(centres: Centres, least: float = 1e-4) -> Centres:
    """Descending centres moved apart where they coincide (a flat wall has one depth and still K layers)."""
    steps = np.arange(len(centres)) * least
    return (np.minimum.accumulate(centres + steps) - steps).astype(np.float64)
