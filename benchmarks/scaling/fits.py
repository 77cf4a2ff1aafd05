"""What costs follow: exponents, a fixed part and one that grows, and how well threads and streams share a machine.

Points are medians of rounds; intervals come from drawing whole rounds anew, for what disturbs a round disturbs many
of its cases alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS, SEED = 1000, 20261
INTERVAL = (2.5, 97.5)  # percent
FEWEST_POINTS = 4  # of a power law
FEWEST_FOR_AMDAHL, FEWEST_FOR_USL = 3, 4
TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Power:
    """cost ≈ factor · x^exponent. low, high: 95 % interval of the exponent. off: the worst point's ratio to the line,
    1.0 = all lie on it. last: the exponent between the two largest x alone, where what is fixed weighs least.
    """

    exponent: float
    low: float
    high: float
    factor: float
    off: float
    last: float

    def at(self, x: float) -> float:
        return self.factor * x**self.exponent


def power(x: Sequence[float], rounds: Floats, draws: int = DRAWS) -> Power | None:
    """The power law of costs. rounds: `round point`, all above 0, a column for each of `x`. None: too few points.

    The slope is the median of those of all pairs of points in logarithms (Theil-Sen): one bad point does not turn it.
    """
    if len(x) < FEWEST_POINTS or not np.all(rounds > 0.0):
        return None
    at, costs = np.log(np.asarray(x, float)), np.log(np.median(rounds, axis=0))
    slope = float(theil_sen(at, costs))
    level = float(np.median(costs - slope * at))
    drawn = theil_sen(at, np.log(drawn_medians(rounds, draws)))
    low, high = (float(value) for value in np.percentile(drawn, INTERVAL))
    off = float(np.exp(np.abs(costs - slope * at - level).max()))
    order = np.argsort(at)[-2:]
    last = float(np.diff(costs[order])[0] / np.diff(at[order])[0])
    return Power(slope, min(low, slope), max(high, slope), float(np.exp(level)), off, last)


def theil_sen(x: Floats, y: Floats) -> Floats:
    """The median slope of all pairs of points with different x. y: `… point`; a slope for each of what is before."""
    first, second = np.triu_indices(len(x), 1)
    apart = x[second] != x[first]
    first, second = first[apart], second[apart]
    return np.median((y[..., second] - y[..., first]) / (x[second] - x[first]), axis=-1)


def drawn_medians(rounds: Floats, draws: int = DRAWS) -> Floats:
    """`draw point`: medians of rounds that are drawn with replacement, one fewer than there are (Rao and Wu).

    As many would show too little of how few rounds differ. One round alone says nothing of its noise: all are alike.
    """
    count = len(rounds)
    chosen = np.random.default_rng(SEED).integers(0, count, (draws, max(1, count - 1)))
    return np.median(rounds[chosen], axis=1)


@dataclass(frozen=True, slots=True)
class Affine:
    """cost ≈ fixed + each · x, both 0 or more. off: the worst point's ratio to the line."""

    fixed: float
    each: float
    off: float

    def at(self, x: float) -> float:
        return self.fixed + self.each * x


def affine(x: Sequence[float], costs: Sequence[float]) -> Affine | None:
    """By Theil-Sen's slope, as one point may be of another kind: edges cost nothing where the net sees every pixel.

    None: too few points.
    """
    if len(x) < FEWEST_POINTS or min(costs) <= 0.0:
        return None
    at, cost = np.asarray(x, float), np.asarray(costs, float)
    each = max(0.0, float(theil_sen(at, cost)))
    fixed = float(np.median(cost - each * at))
    if fixed < 0.0:
        fixed, each = 0.0, float(np.median(cost / at))
    ratios = (fixed + each * at) / cost
    return Affine(fixed, each, float(np.maximum(ratios, 1.0 / ratios).max()))


def _no_less_than_0(columns: Floats, wanted: Floats) -> tuple[float, float]:
    """Least squares in two unknowns of which none is below 0: the best of both, or of one alone."""
    both = np.linalg.lstsq(columns, wanted, rcond=None)[0]
    if both.min() >= 0.0:
        return float(both[0]), float(both[1])
    alone = [max(0.0, float(column @ wanted / (column @ column))) for column in columns.T]
    left = [float(np.square(value * column - wanted).sum()) for value, column in zip(alone, columns.T)]
    return (alone[0], 0.0) if left[0] <= left[1] else (0.0, alone[1])


def efficiency(counts: Sequence[int], rates: Sequence[float]) -> list[float]:
    """How much of n times the rate of the fewest there is with n. Rates are frames a second, or 1 / seconds."""
    each = rates[0] / counts[0]
    return [rate / (count * each) for count, rate in zip(counts, rates, strict=True)]


def amdahl(counts: Sequence[int], rates: Sequence[float]) -> float | None:
    """The share of the work that no further thread helps (Amdahl 1967), 0–1. None: too few points, or none of 1."""
    if len(counts) < FEWEST_FOR_AMDAHL or counts[0] != 1:
        return None
    n, slowness = np.asarray(counts, float), rates[0] / np.asarray(rates, float)
    # slowness = serial + (1 − serial) / n
    column = 1.0 - 1.0 / n
    return float(np.clip(column @ (slowness - 1.0 / n) / (column @ column), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Usl:
    """Gunther's universal scalability law: rate(n) = n · rate(1) / (1 + queueing · (n − 1) + talk · n · (n − 1)).

    queueing: for what only one can use at a time. talk: of each with each other. Both 0 or more.
    """

    queueing: float
    talk: float

    def at(self, count: float) -> float:
        """Rate in multiples of that of one."""
        return count / (1.0 + self.queueing * (count - 1.0) + self.talk * count * (count - 1.0))


def usl(counts: Sequence[int], rates: Sequence[float]) -> Usl | None:
    """None: too few points, or none of 1."""
    if len(counts) < FEWEST_FOR_USL or counts[0] != 1:
        return None
    n = np.asarray(counts[1:], float)
    lost = n * rates[0] / np.asarray(rates[1:], float) - 1.0
    return Usl(*_no_less_than_0(np.stack((n - 1.0, n * (n - 1.0)), axis=1), lost))
