"""MSE, PSNR and SSIM against hand-worked numbers and a slow, direct SSIM."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.training.metrics import picture_quality, ssim

NAN = float("nan")


def direct_ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Wang et al. 2004, window by window."""
    offset = np.arange(-5, 6)
    window = np.exp(-(offset[:, None] ** 2 + offset[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values: list[float] = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            if np.isnan(x).any() or np.isnan(y).any():
                continue
            mx, my = float((window * x).sum()), float((window * y).sum())
            vx, vy = float((window * (x - mx) ** 2).sum()), float((window * (y - my) ** 2).sum())
            cov = float((window * (x - mx) * (y - my)).sum())
            top = (2 * mx * my + 0.01**2) * (2 * cov + 0.03**2)
            values.append(top / ((mx**2 + my**2 + 0.01**2) * (vx + vy + 0.03**2)))
    return float(np.mean(values)) if values else NAN


@pytest.mark.parametrize("hole", [None, (slice(0, 4), slice(15, 22)), (9, 3)])
def test_ssim_is_that_of_the_paper(hole: tuple[int | slice, int | slice] | None, rng: np.random.Generator) -> None:
    a = rng.uniform(0, 1, (17, 22))
    b = np.clip(a + rng.normal(0, 0.2, a.shape), 0, 1)
    if hole is not None:
        a[hole] = NAN
    expected = direct_ssim(a, b)
    assert 0.3 < expected < 0.95
    assert ssim(a, b) == pytest.approx(expected, abs=1e-12)
    assert ssim(b, a) == pytest.approx(expected, abs=1e-12)


def test_ssim_of_two_greys_compares_brightness_only() -> None:
    a, b = np.full((20, 20), 0.5), np.full((20, 20), 0.25)
    assert ssim(a, b) == pytest.approx((2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4))
    assert ssim(a, a) == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(10, 30), (21, 21)])
def test_ssim_without_a_whole_window_is_nan(shape: tuple[int, int]) -> None:
    a = np.zeros(shape)
    a[10 % shape[0], 10] = NAN  # the middle of 21 × 21 lies in each of its windows
    assert np.isnan(ssim(a, np.zeros(shape)))


def test_mse_and_psnr_are_on_the_scale_of_the_report() -> None:
    # 1 m and 2 m, both predicted as 4/3 m: errors of 1/30 and 2/30 of the 10 m that are white.
    result = picture_quality(np.ones((20, 20)), np.tile([0.5, 0.25], (20, 10)))
    assert result.mse == pytest.approx((1 / 900 + 4 / 900) / 2)
    assert result.psnr_db == pytest.approx(10 * np.log10(360))
    depths = np.tile([0.1, 0.2], (20, 10))
    assert result.ssim == pytest.approx(direct_ssim(np.full((20, 20), 4 / 30), depths))


def test_perfect_prediction_and_holes(rng: np.random.Generator) -> None:
    truth = rng.choice([0.25, 0.5], (24, 24))
    prediction = truth * 3 + 1
    truth[:6, :6] = NAN
    prediction[:6, :6] = 77.0
    result = picture_quality(prediction, truth)
    assert result.mse == pytest.approx(0, abs=1e-20)
    assert result.psnr_db > 200
    assert result.ssim == pytest.approx(1.0)


def test_picture_without_measurements_is_nan() -> None:
    result = picture_quality(np.ones((20, 20)), np.full((20, 20), NAN))
    assert np.isnan([result.mse, result.psnr_db, result.ssim]).all()
