"""Is B slower than A? Ratios with 95 % intervals, row by row.

Neighbouring frames are alike (a busy moment lasts for several), so single frames must not be drawn: a moving-block
bootstrap draws stretches of the series, which are the longer the more a frame tells of the next. Runs of `--repeat`
differ, too (where memory lies, what the machine does meanwhile), so whole runs are drawn first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .request import compared, names_of
from .result import Result
from .row import Row

DRAWS, AT_A_TIME = 2000, 100
SEED = 20260
INTERVAL = (2.5, 97.5)  # percent
FEWEST_FRAMES = {50: 10, 95: 60}  # below which a percentile is not compared: 3 frames have to lie above a 95th
SHORTEST_STAGE_US = 100.0  # below which whole microseconds are too coarse

Verdict = Literal["faster", "slower", "no difference beyond noise", "too few frames"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """B / A of a percentile, with its 95 % interval, and what follows with `tolerance`."""

    value: float
    low: float
    high: float
    verdict: Verdict

    @property
    def words(self) -> str:
        if self.verdict == "too few frames":
            return "-"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True, slots=True)
class RowComparison:
    """What became of a row.

    cpu: of the median CPU time a frame, which other programs hardly change; it decides nothing. stages: B / A of
    medians, of the stages that are long enough to tell.
    """

    name: str
    median: Ratio
    p95: Ratio
    cpu: Ratio
    stages: dict[str, Ratio]

    @property
    def verdict(self) -> Verdict:
        """Slower when the median or the 95th percentile is; faster when one is, and none is slower."""
        found = (self.median.verdict, self.p95.verdict)
        for verdict in ("slower", "faster"):
            if verdict in found:
                return verdict
        return self.median.verdict

    @property
    def regression(self) -> str:
        """What became slower, in a few words; empty where nothing did."""
        for what, ratio in (("median latency", self.median), ("95th percentile of latency", self.p95)):
            if ratio.verdict == "slower":
                by = f"{self.name}: {what} × {ratio.words}"
                slower = {name: stage.value for name, stage in self.stages.items() if stage.verdict == "slower"}
                worst = max(slower, key=lambda name: slower[name], default="")
                return f"{by}, above all {worst} × {slower[worst]:.3f}" if worst else by
        return ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows that both have, and the names of those that only one has."""

    rows: list[RowComparison]
    only_before: list[str]
    only_after: list[str]


def compare_results(before: Result, after: Result, tolerance: float) -> Comparison:
    """Match rows by their settings, how many frames they took aside. tolerance: differences below it are none."""
    old, new = _by_settings(before.rows), _by_settings(after.rows)
    both = [key for key in old if key in new]
    names = names_of([new[key].settings for key in both])
    return Comparison(
        [_compare_rows(name, old[key], new[key], tolerance) for name, key in zip(names, both, strict=True)],
        [_full_name(key) for key in old if key not in new],
        [_full_name(key) for key in new if key not in old],
    )


def _by_settings(rows: Sequence[Row]) -> dict[tuple[tuple[str, object], ...], Row]:
    return {compared(row.settings): row for row in rows}


def _full_name(key: tuple[tuple[str, object], ...]) -> str:
    settings = dict(key)
    shown = ("size", "engine", "model", "quality", "layers", "aperture")
    return ", ".join(f"{name} {settings.get(name)}" for name in shown)


def _compare_rows(name: str, before: Row, after: Row, tolerance: float) -> RowComparison:
    def ratio(old: NDArray[np.int64], new: NDArray[np.int64], percent: int) -> Ratio:
        return compare_series(before.of_runs(old), after.of_runs(new), percent, tolerance)

    stages = {
        stage: ratio(series, after.stages_us[stage], 50)
        for stage, series in before.stages_us.items()
        if stage in after.stages_us and float(np.median(series)) >= SHORTEST_STAGE_US
    }
    old, new = before.latency_us, after.latency_us
    return RowComparison(
        name, ratio(old, new, 50), ratio(old, new, 95), ratio(before.cpu_us, after.cpu_us, 50), stages
    )  # fmt: skip


def compare_series(
    before: Sequence[NDArray[np.int64]],
    after: Sequence[NDArray[np.int64]],
    percent: int,
    tolerance: float = 0.0,
    draws: int = DRAWS,
) -> Ratio:
    """after / before of a percentile. before, after: a series for each run, in frames' order.

    It differs when the whole interval lies beyond 1 ± tolerance. The same numbers give the same answer.
    """
    old, new = np.concatenate(before), np.concatenate(after)
    if min(len(old), len(new)) < FEWEST_FRAMES.get(percent, 10) or not np.percentile(old, percent):
        return Ratio(1.0, 1.0, 1.0, "too few frames")
    random = np.random.default_rng(SEED)
    drawn = bootstrap(after, percent, random, draws) / np.maximum(bootstrap(before, percent, random, draws), 1.0)
    low, high = (float(value) for value in np.percentile(drawn, INTERVAL))
    value = float(np.percentile(new, percent) / np.percentile(old, percent))
    if low > 1.0 + tolerance:
        return Ratio(value, low, high, "slower")
    if high < 1.0 / (1.0 + tolerance):
        return Ratio(value, low, high, "faster")
    return Ratio(value, low, high, "no difference beyond noise")


def bootstrap(
    runs: Sequence[NDArray[np.int64]], percent: int, random: np.random.Generator, draws: int = DRAWS
) -> NDArray[np.float64]:
    """`draws` percentiles: runs are drawn with replacement, and made anew of blocks of themselves, each run a ring.

    One run fewer is drawn than there are: as many would show too little of how few runs differ (Rao and Wu). Runs of
    different lengths are taken as far as the shortest.
    """
    drawn, frames = max(1, len(runs) - 1), min(map(len, runs))
    table = np.stack([run[:frames] for run in runs])
    length = max(map(block_length, table))
    blocks, within = -(-frames // length), np.arange(length)
    found = list[NDArray[np.float64]]()
    for done in range(0, draws, AT_A_TIME):  # at a time, for long series would fill the memory
        some = min(AT_A_TIME, draws - done)
        chosen = random.integers(0, len(runs), (some, drawn, 1))
        starts = random.integers(0, frames, (some, drawn, blocks, 1))
        places = ((starts + within) % frames).reshape(some, drawn, -1)[:, :, :frames]
        found.append(np.percentile(table[chosen, places].reshape(some, -1), percent, axis=1))
    return np.concatenate(found)


def block_length(series: NDArray[np.int64]) -> int:
    """How many frames are drawn together: (√6·ρ / (1 − ρ²))^⅔ · n^⅓, the best for an autoregressive series (Carlstein).

    ρ: correlation of a frame's rank with the next one's; ranks, because one outlier would hide it. At most a quarter.
    """
    count = len(series)
    ranks = np.argsort(np.argsort(series, kind="stable"), kind="stable").astype(float)
    ranks -= ranks.mean()
    rho = float(np.clip((ranks[:-1] * ranks[1:]).sum() / max((ranks**2).sum(), 1e-9), 0.0, 0.97))
    length = (np.sqrt(6.0) * rho / (1.0 - rho**2)) ** (2.0 / 3.0) * count ** (1.0 / 3.0)
    return int(np.clip(np.ceil(length), 1, max(1, count // 4)))
