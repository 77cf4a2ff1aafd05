"""Training: losses by hand, and views that keep geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pullfocus.training.augment import random_view
from pullfocus.training.losses import LOG_OFFSET, affine_invariant_terms, log_l1, total_loss
from pullfocus.training.pairs import Pair

NAN = float("nan")


def maps(*values: list[list[float]]) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def test_log_l1_by_hand() -> None:
    prediction, target = maps([[0.18, 0.98]], [[0.5, 0.5]]), maps([[0.38, NAN]], [[0.5, 0.5]])
    np.testing.assert_allclose(log_l1(prediction, target), [np.log(0.40 / 0.20), 0.0], atol=1e-6)
    assert LOG_OFFSET == 0.02


def test_affine_terms_by_hand() -> None:
    # Medians 0 and 1 (the lower of the middle two), mean deviations 1/2 and 1.
    prediction, target = maps([[0.0, 0.0], [1.0, 1.0]]), maps([[1.0, 1.0], [1.0, 5.0]])
    data, gradient = affine_invariant_terms(prediction, target)
    # Normalised: [[0, 0], [2, 2]] and [[0, 0], [0, 4]], so the residual is [[0, 0], [2, −2]].
    assert float(data) == pytest.approx(1.0)
    assert float(gradient) == pytest.approx((0 + 4) / 2 + (2 + 2) / 2)  # coarser scales have a single pixel


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 10), st.floats(-1, 1), st.floats(0.1, 10), st.floats(-1, 1))
def test_affine_terms_see_no_scale_and_no_shift(a: float, b: float, c: float, d: float) -> None:
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 1, 17, 23, generator=rng), torch.rand(2, 1, 17, 23, generator=rng)
    target[0, 0, :5] = NAN
    for x, y in zip(
        affine_invariant_terms(prediction, target), affine_invariant_terms(prediction * a + b, target * c + d)
    ):
        np.testing.assert_allclose(x, y, rtol=2e-3)
    zero, _ = affine_invariant_terms(target.nan_to_num(0.3) * a + b, target)
    np.testing.assert_allclose(zero, 0.0, atol=1e-4)


def test_holes_neither_count_nor_leak() -> None:
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(1, 1, 16, 16, generator=rng), torch.rand(1, 1, 16, 16, generator=rng)
    target[..., 4:9, 3:8] = NAN
    other = torch.where(torch.isnan(target), torch.full_like(target, 0.99), prediction)
    metric = torch.tensor([True])
    for name, value in total_loss(prediction, target, metric).items():
        assert float(value) == pytest.approx(float(total_loss(other, target, metric)[name]), rel=1e-5), name
    prediction.requires_grad_()
    total_loss(prediction, target, metric)["total"].backward()
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()
    assert float(prediction.grad[..., 4:9, 3:8].abs().max()) < 1e-6


@pytest.mark.parametrize("kind", ["flat", "all holes", "one pixel"])
def test_gradient_is_finite_on_degenerate_targets(kind: str) -> None:
    target = torch.full((2, 1, 8, 8), 0.5 if kind == "flat" else NAN)
    if kind == "one pixel":
        target[..., 3, 3] = 0.2
    prediction = torch.rand(2, 1, 8, 8, requires_grad=True)
    terms = total_loss(prediction, target, torch.tensor([True, False]))
    terms["total"].backward()
    assert all(bool(torch.isfinite(value)) for value in terms.values())
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_total_is_the_weighted_sum_and_metres_count_for_metric_sets_only() -> None:
    prediction, target = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8)
    for metric in ([True, False], [False, False]):
        terms = {k: float(v) for k, v in total_loss(prediction, target, torch.tensor(metric)).items()}
        assert terms["total"] == pytest.approx(terms["affine"] + 0.5 * terms["gradient"] + terms["log_l1"])
        expected = float(log_l1(prediction, target)[0]) / 2 if metric[0] else 0.0
        assert terms["log_l1"] == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_view_keeps_picture_and_target_together(seed: int, metric: bool) -> None:
    x = np.tile(np.linspace(0, 1, 160, dtype=np.float32), (120, 1))
    image = np.repeat((40 + x * 170).astype(np.uint8)[..., None], 3, axis=2)
    target = 0.1 + 0.4 * x
    view, depth = random_view(Pair(image, target, metric), (64, 96), np.random.default_rng(seed))
    assert view.shape == (64, 96, 3)
    assert view.dtype == np.uint8
    assert depth.shape == (64, 96)
    assert depth.dtype == np.float32
    bright, deep = view.mean(axis=(0, 2)), depth.mean(axis=0)
    assert np.corrcoef(bright, deep)[0, 1] > 0.95  # mirrored together, or not at all
    low, high = 0.1, 0.5
    span = float(np.ptp(deep)) / (high - low)
    assert span > 0.4
    assert depth.min() >= low - 1e-6
    assert depth.max() <= (1.0 if metric else high + 1e-6)


def test_metric_target_is_divided_by_the_crop_scale() -> None:
    image, target = np.full((400, 400, 3), 100, np.uint8), np.full((400, 400), 0.3, np.float32)
    for seed in range(20):
        _, metric = random_view(Pair(image, target, True), (64, 64), np.random.default_rng(seed))
        _, relative = random_view(Pair(image, target, False), (64, 64), np.random.default_rng(seed))
        assert np.ptp(metric) < 1e-6
        assert (relative == np.float32(0.3)).all()
        rng = np.random.default_rng(seed)
        aspect, scale = rng.uniform(0.9, 1.1), rng.uniform(0.6, 1.0)
        height = int(min(400 * scale, 400 * scale / aspect))
        width = int(min(min(400 * scale, 400 * scale / aspect) * aspect, 400))
        assert metric[0, 0] == pytest.approx(0.3 / np.sqrt(height * width / 400**2), rel=1e-5)


def test_views_repeat_with_the_same_seed_and_keep_holes() -> None:
    rng = np.random.default_rng(0)
    target = rng.random((90, 120), np.float32)
    target[:45] = NAN
    pair = Pair(rng.integers(0, 256, (90, 120, 3), np.uint8), target, False)
    first, again = (random_view(pair, (48, 64), np.random.default_rng(5))[1] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.isin(first[np.isfinite(first)], target).all()  # nearest: no invented depth
