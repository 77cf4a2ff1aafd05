"""Alignment, errors of depth and order of pairs, on numbers worked out by hand."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.training.metrics import accuracy, align, aligned_depth, pair_order

NAN = float("nan")


def test_align_finds_scale_and_shift_and_ignores_holes() -> None:
    truth = np.array([[0.1, 0.2, NAN, 0.4]])
    prediction = (truth - 0.05) / 3.0
    prediction[0, 2] = 9.0
    np.testing.assert_allclose(align(prediction, truth)[0, [0, 1, 3]], [0.1, 0.2, 0.4])


def test_align_is_least_squares() -> None:
    # The best line through (0, 0), (1, 1), (2, 1) is y = 1/6 + x/2.
    np.testing.assert_allclose(align(np.array([0.0, 1, 2]), np.array([0.0, 1, 1])), [1 / 6, 4 / 6, 7 / 6])


def test_align_of_nothing_is_nan() -> None:
    assert np.isnan(align(np.ones((2, 3)), np.full((2, 3), NAN))).all()


def test_aligned_depth_is_in_metres_and_clipped() -> None:
    # Halving fits: 1 m and 2 m. The others extrapolate to inverse depths −1.25 and 25, clipped to 10 m and 0.3 m.
    predicted, true = aligned_depth(np.array([2.0, 1.0, -5.0, 100.0]), np.array([0.5, 0.25, NAN, 0.0]))
    np.testing.assert_allclose(predicted, [1.0, 2.0, 10.0, 0.3])
    np.testing.assert_allclose(true, [1.0, 2.0, NAN, NAN])


def test_perfect_prediction_up_to_scale_and_shift() -> None:
    truth = np.linspace(0.06, 0.9, 50).reshape(5, 10)
    *errors, delta1, delta2, delta3 = astuple(accuracy(truth * 0.3 + 0.2, truth))
    assert errors == pytest.approx([0] * 5, abs=1e-9)
    assert (delta1, delta2, delta3) == (1.0, 1.0, 1.0)


def test_accuracy_of_a_constant_prediction() -> None:
    # Depths 1 m and 2 m are inverse depths 0.5 and 0.25; a constant aligns to 0.375, which is 4/3 m.
    result = accuracy(np.ones((1, 2)), np.array([[0.5, 0.25]]))
    assert result.abs_rel == pytest.approx((1 / 3 + 1 / 3) / 2)
    assert result.sq_rel_m == pytest.approx((1 / 9 + 4 / 9 / 2) / 2)
    assert result.rmse_m == pytest.approx(np.sqrt((1 / 9 + 4 / 9) / 2))
    assert result.rmse_log == pytest.approx(np.sqrt((np.log(4 / 3) ** 2 + np.log(2 / 3) ** 2) / 2))
    assert result.log10 == pytest.approx((np.log10(4 / 3) + np.log10(3 / 2)) / 2)
    assert result.delta1 == 0.0  # ratios 4/3 and 3/2
    assert result.delta2 == 1.0


def test_each_delta_has_its_own_threshold() -> None:
    # 1 m and 2.8 m: a constant aligns to 0.5 / mean(1/2, 1/5.6) = 1.474 m, ratios 1.474 and 1.9.
    result = accuracy(np.ones((1, 2)), np.array([[0.5, 0.5 / 2.8]]))
    assert (result.delta1, result.delta2, result.delta3) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize("value", [NAN, 0.0, 0.01])
def test_accuracy_without_measurements_in_range_is_nan(value: float) -> None:
    assert np.isnan(astuple(accuracy(np.ones((4, 4)), np.full((4, 4), value)))).all()


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
    assert astuple(a) == pytest.approx(astuple(b), rel=1e-6)
