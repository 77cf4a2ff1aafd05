"""The ranking loss and where its pairs lie, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from pullfocus.training.losses.ranking import across_edges, ranking

NAN = float("nan")


def halves(left: float, right: float, height: int = 24, width: int = 32) -> torch.Tensor:
    """One map of two halves, `1 1 h w`."""
    x = torch.full((1, 1, height, width), left)
    x[..., width // 2 :] = right
    return x


def test_every_counted_pair_of_two_halves_costs_the_same() -> None:
    ratio = math.log((0.30 + 0.02) / (0.28 + 0.02))
    right = ranking(halves(0.28, 0.30), halves(0.2, 0.4))
    assert float(right) == pytest.approx(math.log1p(math.exp(-ratio / 0.1)), rel=1e-4)
    wrong = ranking(halves(0.30, 0.28), halves(0.2, 0.4))
    assert float(wrong) == pytest.approx(math.log1p(math.exp(ratio / 0.1)), rel=1e-4)


def test_nothing_is_asked_of_near_depths_nor_of_what_was_not_measured() -> None:
    prediction = halves(0.5, 0.1)
    assert float(ranking(prediction, halves(0.20, 0.22))) == 0.0
    assert float(ranking(prediction, halves(NAN, 0.4))) == 0.0
    assert float(ranking(prediction, halves(0.2, 0.4))) > 1.0


def test_pairs_at_edges_lie_on_either_side() -> None:
    target = halves(0.2, 0.4)
    places = across_edges(target, torch.ones_like(target, dtype=torch.bool))
    one, other = target.flatten()[places[0, 0]], target.flatten()[places[0, 1]]
    assert bool(((one - other).abs() > 0.1).all())
    rows, columns = places // 32, places % 32
    assert bool((rows[0, 0] == rows[0, 1]).all())
    assert (
        1 <= int((columns[0, 0] - columns[0, 1]).abs().min()) <= int((columns[0, 0] - columns[0, 1]).abs().max()) <= 18
    )
