"""Depth metrics on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.training.metrics import accuracy, align, pair_order

NAN = float("nan")


def test_align_finds_scale_and_shift_and_ignores_holes() -> None:
    truth = np.array([[0.1, 0.2, NAN, 0.4]])
    prediction = (truth - 0.05) / 3.0
    prediction[0, 2] = 9.0
    np.testing.assert_allclose(align(prediction, truth)[0, [0, 1, 3]], [0.1, 0.2, 0.4])


def test_align_is_least_squares() -> None:
    # The best line through (0, 0), (1, 1), (2, 1) is y = 1/6 + x/2.
    np.testing.assert_allclose(align(np.array([0.0, 1, 2]), np.array([0.0, 1, 1])), [1 / 6, 4 / 6, 7 / 6])


def test_perfect_prediction_up_to_scale_and_shift() -> None:
    truth = np.linspace(0.06, 0.9, 50).reshape(5, 10)
    result = accuracy(truth * 0.3 + 0.2, truth)
    assert result.abs_rel == pytest.approx(0, abs=1e-9)
    assert result.rmse_m == pytest.approx(0, abs=1e-9)
    assert result.delta1 == 1.0


def test_accuracy_of_a_constant_prediction() -> None:
    # Depths 1 m and 2 m are inverse depths 0.5 and 0.25; a constant aligns to 0.375, which is 4/3 m.
    result = accuracy(np.ones((1, 2)), np.array([[0.5, 0.25]]))
    assert result.abs_rel == pytest.approx((1 / 3 + 1 / 3) / 2)
    assert result.rmse_m == pytest.approx(np.sqrt((1 / 9 + 4 / 9) / 2))
    assert result.delta1 == 0.0  # ratios 4/3 and 3/2


def test_pixels_outside_the_measured_range_do_not_count() -> None:
    truth = np.array([[0.5, 0.25, 0.01, 2.0, 0.0, NAN]])  # 1 m, 2 m, 50 m, 0.25 m, infinity, none
    prediction = np.array([[0.5, 0.25, 0.9, 0.1, 0.9, 0.9]])
    assert accuracy(prediction, truth).abs_rel == pytest.approx(0, abs=1e-9)


def test_pair_order_of_right_wrong_and_constant_predictions() -> None:
    truth = np.linspace(0.1, 0.9, 100).reshape(10, 10)
    assert pair_order(truth**3, truth, np.random.default_rng(0)) == 1.0
    assert pair_order(-truth, truth, np.random.default_rng(0)) == 0.0
    assert pair_order(np.zeros_like(truth), truth, np.random.default_rng(0)) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("value", [0.5, 0.0, NAN])
def test_pair_order_without_pairs_is_nan(value: float) -> None:
    assert np.isnan(pair_order(np.ones((4, 4)), np.full((4, 4), value), np.random.default_rng(0)))


@given(st.floats(0.1, 10), st.floats(-1, 1))
def test_accuracy_does_not_see_scale_and_shift(scale: float, shift: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.1, 0.9, (6, 7))
    prediction = truth + rng.normal(0, 0.05, truth.shape)
    a, b = accuracy(prediction, truth), accuracy(prediction * scale + shift, truth)
    assert (a.abs_rel, a.rmse_m, a.delta1) == pytest.approx((b.abs_rel, b.rmse_m, b.delta1), rel=1e-6)
