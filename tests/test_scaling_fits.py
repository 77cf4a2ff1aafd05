"""Exponents, fixed parts and laws of sharing, found again in costs that were made from known ones."""

from __future__ import annotations

import numpy as np
import pytest
from pullfocus.benchmarks.scaling.fits import affine, amdahl, efficiency, power, theil_sen, usl

X = [0.06, 0.25, 1.0, 2.0, 8.0]


def costs(
    exponent: float, noise: float, rounds: int = 5, seed: int = 0
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    random = np.random.default_rng(seed)
    return 7.0 * np.asarray(X) ** exponent * np.exp(random.normal(0.0, noise, (rounds, len(X))))


def test_an_exponent_is_found() -> None:
    found = power(X, costs(0.8, 0.0))
    assert found is not None
    assert [found.exponent, found.low, found.high, found.last, found.off] == pytest.approx([0.8, 0.8, 0.8, 0.8, 1.0])
    assert found.at(4.0) == pytest.approx(7.0 * 4.0**0.8)


def test_noise_is_in_the_interval() -> None:
    """Of 60 runs nearly all have the true exponent in their interval, which is no wider than it must be."""
    fits = [power(X, costs(0.8, 0.1, seed=seed), draws=200) for seed in range(60)]
    within = [fit.low <= 0.8 <= fit.high for fit in fits if fit is not None]
    assert len(within) == 60
    assert np.mean(within) >= 0.8
    assert np.mean([fit.high - fit.low for fit in fits if fit is not None]) < 0.15


def test_one_bad_point_does_not_turn_the_line() -> None:
    rounds = costs(0.5, 0.0)
    rounds[:, -1] *= 3.0
    found = power(X, rounds)
    assert found is not None
    assert found.exponent == pytest.approx(0.5, abs=0.15)
    assert found.off > 2.0  # and it is told that a point lies off
    least_squares = np.polyfit(np.log(X), np.log(rounds[0]), 1)[0]
    assert abs(least_squares - 0.5) > abs(found.exponent - 0.5)


def test_the_slope_of_pairs_with_one_x_counts_not() -> None:
    assert theil_sen(np.array([1.0, 1.0, 2.0, 3.0]), np.array([5.0, 5.0, 7.0, 9.0])) == pytest.approx(2.0)


def test_three_points_are_too_few() -> None:
    assert power(X[:3], costs(1.0, 0.0)[:, :3]) is None
    assert affine(X[:3], [1.0, 2.0, 3.0]) is None


def test_a_fixed_part_is_found() -> None:
    found = affine(X, [3.0 + 20.0 * x for x in X])
    assert found is not None
    assert [found.fixed, found.each, found.off] == pytest.approx([3.0, 20.0, 1.0])


def test_a_point_of_another_kind_is_told_and_not_followed() -> None:
    found = affine(X, [0.01, *(3.0 + 20.0 * x for x in X[1:])])
    assert found is not None
    assert (found.fixed, found.each) == (pytest.approx(3.0, abs=1.0), pytest.approx(20.0, rel=0.1))
    assert found.off > 100.0


def test_no_part_is_below_0() -> None:
    found = affine(X, [x**1.5 for x in X])  # a straight line would begin below 0
    assert found is not None
    assert found.fixed == 0.0
    assert found.each > 0.0


def test_threads_by_amdahl() -> None:
    counts = [1, 2, 4, 8]
    rates = [1.0 / (0.2 + 0.8 / n) for n in counts]
    assert amdahl(counts, rates) == pytest.approx(0.2)
    assert efficiency(counts, rates)[1] == pytest.approx(1.0 / (0.6 * 2))
    assert amdahl(counts[:2], rates[:2]) is None


def test_streams_by_the_universal_scalability_law() -> None:
    counts = [1, 2, 4, 8, 16]
    rates = [30.0 * n / (1.0 + 0.05 * (n - 1) + 0.01 * n * (n - 1)) for n in counts]
    found = usl(counts, rates)
    assert found is not None
    assert [found.queueing, found.talk] == pytest.approx([0.05, 0.01])
    assert found.at(4) * 30.0 == pytest.approx(rates[2])
    assert usl(counts[:3], rates[:3]) is None
