"""Rows of `pullfocus bench` as if they had been measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pullfocus.benchmarks.latency.machine_state import Conditions
from pullfocus.benchmarks.latency.request import RowRequest
from pullfocus.benchmarks.latency.result import Result
from pullfocus.benchmarks.latency.row import Row


def correlated(
    seed: int, count: int = 300, median_us: float = 20_000, noise: float = 0.05, rho: float = 0.6
) -> NDArray[np.int64]:
    """A latency whose logarithm is an autoregressive series: neighbouring frames are alike."""
    shocks = np.random.default_rng(seed).normal(0.0, noise * np.sqrt(1.0 - rho**2), count + 50)
    level, levels = 0.0, list[float]()
    for shock in shocks:
        level = rho * level + shock
        levels.append(level)
    return np.rint(median_us * np.exp(levels[50:])).astype(np.int64)


def row(latency_us: NDArray[np.int64], conditions: Conditions | None = None, **settings: Any) -> Row:
    """A row with that latency; its depth stage takes half of it."""
    size = settings.pop("size", "640x480")
    intervals_us = np.full(len(latency_us), 10_000)
    return Row(
        settings={**RowRequest(**settings).facts(), "size": size},
        engine="plane (a ramp, no net)",
        left_out=20,
        latency_us=latency_us,
        interval_us=intervals_us,
        cpu_us=intervals_us // 2,
        stages_us={"source": latency_us // 1000, "depth": latency_us // 2, "sink": latency_us * 0 + 3},
        gpu_us=None,
        peak_memory_mb=100.0,
        measuring=0.0004,
        conditions=conditions or Conditions(0.1, 0.2, 0.01),
        runs=(len(latency_us),),
    )


def result(*rows: Row, **environment: str) -> Result:
    return Result(
        list(rows), {"cpu": "Z80", "cpu_model": "1", "cores": "1", "gpu": "none", "driver": "none", **environment}
    )
