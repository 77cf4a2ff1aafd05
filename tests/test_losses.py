"""Losses, by hand and by their invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pullfocus.training.losses import METRIC, ORDINAL, RELATIVE, total_loss
from pullfocus.training.losses.pointwise import LOG_OFFSET, aligned_log, bce, bce_floor, berhu, l1, log_l1, silog
from pullfocus.training.losses.relative import affine, gradient
from pullfocus.training.losses.structure import smoothness, virtual_normal

NAN = float("nan")
ALL = dict.fromkeys((*RELATIVE, *ORDINAL, *METRIC, "smoothness"), 0.5)


def maps(*values: list[list[float]]) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def random_maps(*shape: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 1, *shape, generator=rng), torch.rand(2, 1, *shape, generator=rng)
    return prediction, target, torch.rand(2, 3, *shape, generator=rng)


def test_log_l1_by_hand() -> None:
    prediction, target = maps([[0.18, 0.98]], [[0.5, 0.5]]), maps([[0.38, NAN]], [[0.5, 0.5]])
    np.testing.assert_allclose(log_l1(prediction, target), [np.log(0.40 / 0.20), 0.0], atol=1e-6)
    assert LOG_OFFSET == 0.02


def test_aligned_log_by_hand() -> None:
    # 0.1, 0.2, 0.3 fit 0.2, 0.4, 0.6 with scale 2; of 0.2, 0.4, 0.4 they fit best with scale 1 and shift 2/15.
    prediction = maps([[0.1, 0.2, 0.3, 0.9]], [[0.1, 0.2, 0.3, 0.9]])
    value = aligned_log(prediction, maps([[0.2, 0.4, 0.6, NAN]], [[0.2, 0.4, 0.4, NAN]]))
    residuals = [math.log(7 / 30 / 0.2), math.log(0.4 / (1 / 3)), math.log(13 / 30 / 0.4)]
    np.testing.assert_allclose(value, [0.0, sum(residuals) / 3], atol=1e-5)


def test_aligned_log_is_blind_to_scale_and_shift_of_the_prediction() -> None:
    prediction, target, _ = random_maps(17, 23)
    target[0, 0, :5] = NAN
    np.testing.assert_allclose(aligned_log(prediction, target), aligned_log(prediction * 0.3 + 0.2, target), rtol=1e-4)


def test_l1_by_hand() -> None:
    np.testing.assert_allclose(l1(maps([[0.1, 0.9]], [[0.5, 0.2]]), maps([[0.4, NAN]], [[0.5, 0.6]])), [0.3, 0.2])


def test_bce_by_hand_and_its_floor() -> None:
    prediction, target = maps([[0.5, 0.8]]), maps([[0.25, NAN]])
    assert float(bce(prediction, target)) == pytest.approx(math.log(2.0))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert float(bce_floor(target)) == pytest.approx(entropy, rel=1e-5)
    assert float(bce(maps([[0.26, 0.0]]), target)) > entropy


def test_silog_by_hand() -> None:
    # Log residuals ln 2 and 0: mean of squares ln²2 / 2, squared mean ln²2 / 4.
    prediction, target = maps([[0.38, 0.5]]), maps([[0.18, 0.5]])
    ln2 = math.log(2.0)
    assert float(silog(prediction, target)) == pytest.approx(ln2**2 / 2 - 0.5 * ln2**2 / 4, rel=1e-5)


def test_berhu_by_hand() -> None:
    # Residuals 0.5, 0.1, 0.05: c = 0.1, so (0.25 + 0.01) / 0.2 = 1.3, then 0.1 and 0.05.
    value = berhu(maps([[0.5, 0.1, 0.05]]), maps([[0.0, 0.0, 0.0]]))
    assert float(value) == pytest.approx((1.3 + 0.1 + 0.05) / 3, rel=1e-5)


def test_affine_and_gradient_by_hand() -> None:
    # Means 1/2 and 2, mean deviations 1/2 and 3/2.
    prediction, target = maps([[0.0, 0.0], [1.0, 1.0]]), maps([[1.0, 1.0], [1.0, 5.0]])
    # Normalised: [[−1, −1], [1, 1]] and [[−2/3, −2/3], [−2/3, 2]]: the residual is [[−1/3, −1/3], [5/3, −1]].
    assert float(affine(prediction, target)) == pytest.approx((1 / 3 + 1 / 3 + 5 / 3 + 1) / 4)
    assert float(gradient(prediction, target)) == pytest.approx((0 + 8 / 3) / 2 + (2 + 2 / 3) / 2)  # coarser: one pixel


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 10), st.floats(-1, 1), st.floats(0.1, 10), st.floats(-1, 1))
def test_relative_terms_see_no_scale_and_no_shift(a: float, b: float, c: float, d: float) -> None:
    prediction, target, _ = random_maps(17, 23)
    target[0, 0, :5] = NAN
    for term in RELATIVE.values():
        np.testing.assert_allclose(term(prediction, target), term(prediction * a + b, target * c + d), rtol=2e-3)
    np.testing.assert_allclose(affine(target.nan_to_num(0.3) * a + b, target), 0.0, atol=1e-4)


@pytest.mark.parametrize("name", RELATIVE)
def test_relative_terms_push_neither_scale_nor_shift(name: str) -> None:
    prediction, target, _ = random_maps(17, 23)
    prediction = (prediction**3).requires_grad_()  # skewed: mean and median differ
    target[0, 0, :5] = NAN
    RELATIVE[name](prediction, target).sum().backward()
    push = prediction.grad
    assert push is not None
    size = float(push.abs().sum())
    assert size > 0
    assert float(push.sum()) == pytest.approx(0.0, abs=1e-4 * size)
    assert float((push * prediction.detach()).sum()) == pytest.approx(0.0, abs=1e-4 * size)


def test_virtual_normals_agree_on_a_plane_and_differ_when_it_tilts() -> None:
    x = torch.linspace(0.1, 0.4, 48).expand(32, 48)[None, None]  # inverse depth is linear on a plane
    torch.manual_seed(0)
    assert float(virtual_normal(x, x)) == 0.0
    assert float(virtual_normal(x.flip(-1), x)) > 0.5
    # Another metric scale moves the plane and keeps its normal.
    assert float(virtual_normal(x * 0.8, x)) == pytest.approx(0.0, abs=1e-3)


def test_virtual_normals_by_hand() -> None:
    # A wall facing the camera has normals ±z; guessed as a plane tilted by 45° about y they are (∓1, 0, ±1)/√2.
    width = 64
    wall = torch.full((1, 1, 64, width), 0.25)
    rays = (torch.arange(width) - (width - 1) / 2) / (0.9 * width)
    tilted = (wall * (1.0 - rays)).clamp_min(0.05)  # z = z0 / (1 − x/f)
    torch.manual_seed(0)
    assert float(virtual_normal(tilted, wall)) == pytest.approx(1 / math.sqrt(2) + 1 - 1 / math.sqrt(2), rel=2e-2)


def test_smoothness_charges_a_depth_step_less_where_the_picture_has_an_edge() -> None:
    depth = torch.ones(1, 1, 8, 8)
    depth[..., 4:] = 3.0
    flat, edge = torch.full((1, 3, 8, 8), 0.5), torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 0.2
    # The mean depth is 2, so the step is 1, in one of seven columns of differences.
    assert float(smoothness(depth, flat)) == pytest.approx(1 / 7)
    assert float(smoothness(depth, edge)) == pytest.approx(math.exp(-2.0) / 7)
    assert float(smoothness(torch.full_like(depth, 0.3), edge)) == 0.0


@pytest.mark.parametrize("name", [*RELATIVE, *ORDINAL, *METRIC])
def test_holes_neither_count_nor_leak(name: str) -> None:
    prediction, target, image = random_maps(16, 16)
    target[..., 4:9, 3:8] = NAN
    other = torch.where(torch.isnan(target), torch.full_like(target, 0.99), prediction)
    metric = torch.tensor([True, True])
    values: list[float] = []
    for guess in (prediction, other):
        torch.manual_seed(0)
        values.append(float(total_loss({name: 1.0}, guess, target, image, metric)["total"]))
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    prediction.requires_grad_()
    total_loss({name: 1.0}, prediction, target, image, metric)["total"].backward()
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()
    assert float(prediction.grad[..., 4:9, 3:8].abs().max()) < 1e-6
    assert float(prediction.grad.abs().max()) > 0


@pytest.mark.parametrize("kind", ["flat", "all holes", "one pixel"])
def test_gradient_is_finite_on_degenerate_targets(kind: str) -> None:
    prediction, target, image = random_maps(8, 8)
    target = torch.full_like(target, 0.5 if kind == "flat" else NAN)
    if kind == "one pixel":
        target[..., 3, 3] = 0.2
    prediction.requires_grad_()
    terms = total_loss(ALL, prediction, target, image, torch.tensor([True, False]))
    terms["total"].backward()
    assert all(bool(torch.isfinite(value)) for value in terms.values())
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_total_is_the_weighted_sum_and_metres_count_for_metric_sets_only() -> None:
    prediction, target, image = random_maps(8, 8)
    weights = {"affine": 1.0, "gradient": 0.5, "log_l1": 0.4}
    for metric in ([True, False], [False, False]):
        terms = {k: float(v) for k, v in total_loss(weights, prediction, target, image, torch.tensor(metric)).items()}
        expected = terms["affine"] + 0.5 * terms["gradient"] + 0.4 * terms["log_l1"]
        assert terms["total"] == pytest.approx(expected)
        mean = float(log_l1(prediction, target)[0]) / 2 if metric[0] else 0.0
        assert terms["log_l1"] == pytest.approx(mean)
