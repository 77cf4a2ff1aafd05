"""Sharpness and place of depth edges, on steps whose figures follow by hand."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.training.metrics import BoundaryError, boundary_error, boundary_f1, depth_edges, edge_ratio

Floats = NDArray[np.float64]
NAN = float("nan")
SHAPE = (40, 60)


def columns(*values: float, rows: int = 12) -> Floats:
    return np.tile(np.array(values, float), (rows, 1))


def step(at: int, near: float = 0.5, far: float = 0.2) -> Floats:
    """Near left of column `at`, far from there on."""
    return np.where(np.arange(SHAPE[1]) < at, near, far) * np.ones(SHAPE)


def blurred(x: Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(x, (0, 0), sigma_px), np.float64)


def slopes(**changed: float) -> Floats:
    """A ramp over 20 columns that climbs 0.1 a column, but `cN` from column N to N + 1."""
    climb = np.full(20, 0.1)
    for name, value in changed.items():
        climb[int(name[1:])] = value
    return columns(*np.concatenate(([0.0], np.cumsum(climb)[:-1])))


STEP_9_10 = columns(*[0.2] * 10, *[0.8] * 10)  # edges: columns 9 and 10; beside them: 4–6 and 13–15


def test_edge_ratio_by_hand() -> None:
    assert edge_ratio(slopes(), STEP_9_10) == pytest.approx(1.0)
    # The gradient of a column is 4 times what the prediction climbs around it: 4 × 0.6 at the edge, 4 × 0.2 beside.
    assert edge_ratio(slopes(c8=0.3, c9=0.3, c10=0.3), STEP_9_10) == pytest.approx(3.0)


@pytest.mark.parametrize(("column", "counts"), [(2, False), (3, True), (6, True), (7, False), (11, False), (16, False)])
def test_edge_ratio_compares_with_3_to_5_px_away(column: int, counts: bool) -> None:
    # A climb from column N to N + 1 shows in the gradients of both.
    assert (edge_ratio(slopes(**{f"c{column}": 5.0}), STEP_9_10) != pytest.approx(1.0)) is counts


def test_edge_ratio_measures_chessboard_distance() -> None:
    truth, prediction = np.full((25, 25), 0.1), np.zeros((25, 25))
    truth[12, 12] = 0.9  # edges: the 8 pixels around it
    prediction[18, 18] = 1.0  # gradients at 17–19; only rows and columns up to 18 are 5 px away
    assert edge_ratio(prediction, truth) == 0.0


@pytest.mark.parametrize(("high", "is_edge"), [(0.64, False), (0.66, True)])
def test_true_edge_is_a_relative_gradient_over_1_2(high: float, is_edge: bool) -> None:
    # A step from 0.5 has the relative gradient 4 × 0.14 / 0.5 = 1.12 or 4 × 0.16 / 0.5 = 1.28.
    assert np.isfinite(edge_ratio(slopes(), columns(*[0.5] * 10, *[high] * 10))) == is_edge


def test_softer_edges_have_a_lower_ratio() -> None:
    ramp = 0.001 * np.arange(SHAPE[1])
    ratios = [edge_ratio(blurred(step(30), sigma) - ramp, step(30)) for sigma in (0.5, 1, 2, 4)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] > 10 * ratios[-1] > 10
    soft = blurred(step(30), 2)
    assert edge_ratio(7 - 3 * soft, step(30)) == pytest.approx(edge_ratio(soft, step(30)))


def test_edge_ratio_of_the_extremes() -> None:
    assert edge_ratio(np.ones(SHAPE), step(30)) == 1.0
    assert edge_ratio(step(30), step(30)) == float("inf")


def test_holes_are_no_edges_and_do_not_count() -> None:
    truth, prediction = step(30), blurred(step(30), 2) - 0.001 * np.arange(SHAPE[1])
    truth[:12] = NAN
    expected = edge_ratio(prediction[14:], truth[14:])
    prediction[:10] = 99.0
    assert edge_ratio(prediction, truth) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("shift", [0, 1, 3, 9])
def test_edge_that_is_off_by_n_px_has_an_error_of_n(shift: int) -> None:
    for prediction in (step(30 + shift), step(30 - shift) * 4 + 1):
        error = boundary_error(prediction, step(30))
        assert (error.dbe_acc_px, error.dbe_comp_px) == (shift, shift)


@pytest.mark.parametrize("prediction", [step(45), np.ones(SHAPE)], ids=["far off", "no edge"])
def test_boundary_error_is_10_px_at_most(prediction: Floats) -> None:
    assert boundary_error(prediction, step(30)) == BoundaryError(10.0, 10.0)


def test_added_edges_are_inaccurate_and_missing_ones_incomplete() -> None:
    stairs = np.minimum(step(30), step(22, near=0.5, far=0.3))  # edges 8 px apart
    assert boundary_error(stairs, step(30)) == BoundaryError(4.0, 0.0)
    assert boundary_error(step(30), stairs) == BoundaryError(0.0, 4.0)


def test_hole_rims_are_no_depth_edges() -> None:
    depth = np.linspace(1, 2, SHAPE[1]) * np.ones(SHAPE)
    measured = np.ones(SHAPE, bool)
    assert not depth_edges(depth, measured).any()
    measured[10:20, 10:20] = False
    depth[~measured] = NAN
    assert not depth_edges(depth, measured).any()
    depth[:, 40:] += 1
    edges = depth_edges(depth, measured)
    assert set(np.nonzero(edges)[1]) == {39}
    measured[5:15, 35:45] = False
    assert not depth_edges(depth, measured)[5:15, 35:45].any()


def test_faint_steps_are_no_depth_edges() -> None:
    # σ = √2 leaves a unit step a Sobel gradient of 2.1; the strong threshold 0.3 is a step of 14 % of the range.
    def edge_columns(height: float) -> set[int]:
        depth = step(30, near=0.5, far=0.5 + height)
        depth[:, 55:] = 1.5  # sets the range to 1
        return set(np.nonzero(depth_edges(depth, np.ones(SHAPE, bool)))[1].tolist()) - {54}

    assert edge_columns(0.13) == set()
    assert edge_columns(0.16) == {29}


def test_boundary_f1_by_hand() -> None:
    # The error (0, 0, y, −y) is orthogonal to 1 and to the prediction, so alignment changes nothing.
    prediction = columns(0.5, 0.5, 0.25, 0.25)
    # y = 0.05: one contour of two found at every threshold, so P = 1 and R = 1/2.
    assert boundary_f1(prediction, columns(0.5, 0.5, 0.3, 0.2)) == pytest.approx(2 / 3)
    # y = 0.0125: the missed one is a ratio of 1.105, a contour at the first three of ten thresholds only.
    first_three, all_ten = 1.05 + (1.05 + 0.2 / 9) + (1.05 + 0.4 / 9), 11.5
    expected = 1 - (1 - 2 / 3) * first_three / all_ten
    assert boundary_f1(prediction, columns(0.5, 0.5, 0.2625, 0.2375)) == pytest.approx(expected)


def test_boundary_f1_knows_which_side_is_in_front() -> None:
    # A slope without contours (1.6 % a column) keeps the sign of the alignment.
    slope = np.geomspace(0.5, 0.2, 60)
    bar, beside = columns(*slope, 0.5, 0.2, 0.2), columns(*slope, 0.2, 0.5, 0.2)
    # Nearer at 59|60 and farther at 60|61, against nearer at 60|61 and farther at 61|62: one shared place, no side.
    for truth, prediction in ((bar, beside), (bar.T, beside.T)):
        assert boundary_f1(truth, truth) == 1.0
        assert boundary_f1(prediction, truth) == 0.0


def test_boundary_f1_counts_contours_of_all_four_directions() -> None:
    for truth in (step(30), step(30)[:, ::-1], step(30).T, step(30).T[::-1]):
        assert boundary_f1(truth, truth) == 1.0


def test_boundary_f1_of_soft_edges_is_lower() -> None:
    truth = step(30)
    assert boundary_f1(truth * 5 + 2, truth) == 1.0
    assert boundary_f1(blurred(truth, 2), truth) < 0.6
    assert boundary_f1(np.ones(SHAPE), truth) == 0.0


def test_contours_at_holes_do_not_count() -> None:
    truth = step(30)
    truth[:20, 29] = NAN
    prediction = step(30)
    prediction[:20] = step(29)[:20]  # differs in the hole only
    assert boundary_f1(prediction, truth) == 1.0
    assert boundary_error(prediction, truth).dbe_acc_px == 0.0


def dbe_acc_px(prediction: Floats, truth: Floats) -> float:
    return boundary_error(prediction, truth).dbe_acc_px


def dbe_comp_px(prediction: Floats, truth: Floats) -> float:
    return boundary_error(prediction, truth).dbe_comp_px


@pytest.mark.parametrize("figure", [edge_ratio, boundary_f1, dbe_acc_px, dbe_comp_px])
@pytest.mark.parametrize("value", [NAN, 0.5, 0.0])
def test_truth_without_edges_gives_nan(figure: Callable[[Floats, Floats], float], value: float) -> None:
    assert np.isnan(figure(step(30), np.full(SHAPE, value)))
