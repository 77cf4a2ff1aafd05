"""Figures of series that were recorded frame by frame: percentiles, jitter, and whether a steady state was reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (50, 90, 95, 99)
FEWEST_FRAMES = 30  # to speak of a steady state
BLOCK_FRAMES, MOST_BLOCKS = 5, 120
SMALL_DRIFT = 0.03  # of the median
NOISES = 2.5  # of a block's median, which a drift has to exceed
TO_SIGMA = 1.4826  # from the median absolute deviation of a normal distribution to its standard deviation
STARTS = (0.0, 0.25, 0.5)  # shares of the frames from which on a steady state is looked for


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles and the largest of `count` durations, in milliseconds."""

    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    count: int

    @classmethod
    def of(cls, series_us: NDArray[np.int64]) -> Spread:
        """series_us: n durations in microseconds; all figures of none are 0."""
        if not len(series_us):
            return cls(0.0, 0.0, 0.0, 0.0, 0.0, 0)
        figures = [round(float(value) / 1e3, 4) for value in np.percentile(series_us, PERCENTILES)]
        return cls(*figures, max_ms=round(float(series_us.max()) / 1e3, 4), count=len(series_us))


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Whether latency stays where it is.

    from_frame: the first measured frame from which on it does, None where that is not so even for the second half, or
    where there are too few frames to say. drift: from begin to end, as a share of the median. noise: drift below this
    share counts as none.
    """

    from_frame: int | None
    drift: float
    noise: float
    is_known: bool = True

    @property
    def lateness(self) -> tuple[float, float]:
        """To find the worst of several: frames (no end where it was not reached, -1 where that is not known), drift."""
        frames = -1.0 if not self.is_known else float("inf") if self.from_frame is None else self.from_frame
        return frames, abs(self.drift)

    @property
    def words(self) -> str:
        """For a table's cell."""
        if not self.is_known:
            return "?"
        if self.from_frame is None:
            return f"no {self.drift:+.0%}"
        return "yes" if self.from_frame == 0 else f"from {self.from_frame}"


def steadiness(latency_us: NDArray[np.int64]) -> Steadiness:
    """Look for a steady state in a series.

    The series becomes medians of blocks. Its drift is the larger of two: what the Theil-Sen line through them rises or
    falls by from end to end (a trend), and by how much the median of the last third is above that of the first (a
    step). It is none when it is below SMALL_DRIFT of the median or below NOISES times the scatter of the blocks, taken
    from the differences of neighbours so that neither trend nor step is in it.
    """
    if len(latency_us) < FEWEST_FRAMES:
        return Steadiness(None, 0.0, 0.0, is_known=False)
    found = [(start, *_drift(latency_us[start:])) for start in (int(share * len(latency_us)) for share in STARTS)]
    for start, drift, noise in found:
        if abs(drift) <= noise:
            return Steadiness(start, round(drift, 4), round(noise, 4))
    _, drift, noise = found[0]
    return Steadiness(None, round(drift, 4), round(noise, 4))


def _drift(latency_us: NDArray[np.int64]) -> tuple[float, float]:
    """Drift of a series, and what counts as none, both as shares of its median."""
    blocks = _block_medians(latency_us)
    middle = max(float(np.median(blocks)), 1e-9)
    third = max(1, len(blocks) // 3)
    step = float(np.median(blocks[-third:]) - np.median(blocks[:third]))
    trend = theil_sen(blocks) * (len(blocks) - 1)
    differences = np.diff(blocks)
    scatter = TO_SIGMA * float(np.median(np.abs(differences - np.median(differences)))) / np.sqrt(2.0)
    return max((step, trend), key=abs) / middle, max(SMALL_DRIFT, NOISES * float(scatter) / middle)


def _block_medians(series: NDArray[np.int64]) -> NDArray[np.float64]:
    count = min(MOST_BLOCKS, max(1, len(series) // BLOCK_FRAMES))
    return np.array([np.median(block) for block in np.array_split(series, count)])


def theil_sen(values: NDArray[np.float64]) -> float:
    """The median of the slopes between all pairs of evenly spaced values; 0 for fewer than two."""
    if len(values) < 2:
        return 0.0
    first, second = np.triu_indices(len(values), 1)
    return float(np.median((values[second] - values[first]) / (second - first)))


def jitter_ms(intervals_us: NDArray[np.int64]) -> float:
    """The standard deviation of the intervals between successive hand-overs, in milliseconds."""
    return round(float(np.std(intervals_us)) / 1e3, 4) if len(intervals_us) else 0.0


def iqr_ms(series_us: NDArray[np.int64]) -> float:
    """The interquartile range in milliseconds: jitter without its outliers."""
    if not len(series_us):
        return 0.0
    low, high = np.percentile(series_us, (25, 75))
    return round(float(high - low) / 1e3, 4)
