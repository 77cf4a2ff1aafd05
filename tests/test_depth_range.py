"""`--depth-range`: metres as they are, or a clip's own depth stretched steadily."""

from __future__ import annotations

import numpy as np
import pytest
from pullfocus.kernels import load
from pullfocus.stream.depth_range import LEAST_SPAN, SETTLE_S, make_range

KERNELS = load("cpu")


def ramp(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 200 * 10, dtype=np.float32).reshape(200, 10)


def test_fixed_range_only_clips() -> None:
    out = make_range("fixed").apply(np.array([[-0.5, 0.0, 0.3, 1.0, 1.5]], np.float32), 0.0, KERNELS)
    np.testing.assert_allclose(out, [[0.0, 0.0, 0.3, 1.0, 1.0]], rtol=1e-6)


def test_auto_range_puts_the_percentiles_at_the_ends() -> None:
    out = make_range("auto").apply(ramp(0.2, 0.4), 0.0, KERNELS)
    assert out.min() == 0.0
    assert out.max() == 1.0
    assert np.mean(out == 0.0) == pytest.approx(0.02, abs=0.006)
    assert np.mean(out == 1.0) == pytest.approx(0.02, abs=0.006)
    np.testing.assert_allclose(np.median(out), 0.5, atol=0.01)
    assert np.all(np.diff(out, axis=0) >= 0)


def test_auto_range_follows_a_change_slowly() -> None:
    depth_range = make_range("auto")
    depth_range.apply(ramp(0.0, 0.5), 0.0, KERNELS)
    probe = ramp(0.0, 1.0)
    value = [float(depth_range.apply(probe, frame / 30, KERNELS)[50, 0]) for frame in range(1, 300)]
    assert value[0] == pytest.approx(0.5, abs=0.03)  # still the old range
    assert value[-1] == pytest.approx(0.25, abs=0.02)  # the new one
    assert value == sorted(value, reverse=True)
    after = value[round(SETTLE_S * 30)]
    # The high end has gone 1 − 1/e of its way from 0.5 to 1.
    assert after == pytest.approx(0.25 / (0.5 + 0.5 * (1 - np.exp(-1))), abs=0.03)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_flat_scene_is_not_stretched_into_noise(value: float) -> None:
    noise = np.random.default_rng(0).normal(0, 0.001, (50, 50)).astype(np.float32)
    out = make_range("auto").apply(np.full((50, 50), value, np.float32) + noise, 0.0, KERNELS)
    assert np.isfinite(out).all()
    assert out.std() <= 0.0011 / LEAST_SPAN


def test_auto_range_starts_with_the_first_frame_and_again_after_a_reset() -> None:
    depth_range, fresh = make_range("auto"), make_range("auto")
    for frame in range(60):
        depth_range.apply(ramp(0.0, 0.2), frame / 30, KERNELS)
    depth_range.reset()
    np.testing.assert_array_equal(
        depth_range.apply(ramp(0.3, 0.9), 2.0, KERNELS), fresh.apply(ramp(0.3, 0.9), 2.0, KERNELS)
    )


def test_auto_range_holds_still_under_noise() -> None:
    rng, depth_range = np.random.default_rng(0), make_range("auto")
    probe = [float(np.median(depth_range.apply(_jittered(rng), frame / 30, KERNELS))) for frame in range(150)]
    given = [float(np.median(_jittered(rng))) for _ in range(150)]
    # The range itself must not add to what a net's jitter of scale does (its full span is 0.4 here).
    assert np.std(probe[60:]) < 1.1 * np.std(given) / 0.4


def _jittered(rng: np.random.Generator) -> np.ndarray:
    return ramp(0.2, 0.6) * np.float32(1 + rng.normal(0, 0.03))


def test_auto_range_stands_still_while_time_does() -> None:
    depth_range = make_range("auto")
    first = depth_range.apply(ramp(0.2, 0.4), 1.0, KERNELS)
    depth_range.apply(ramp(0.0, 1.0), 1.0, KERNELS)
    depth_range.apply(ramp(0.0, 1.0), 0.5, KERNELS)  # damaged timestamps
    np.testing.assert_array_equal(depth_range.apply(ramp(0.2, 0.4), 0.5, KERNELS), first)


def test_fixed_range_has_nothing_to_forget() -> None:
    depth_range = make_range("fixed")
    depth_range.reset()
    np.testing.assert_array_equal(depth_range.apply(ramp(0.2, 0.4), 0.0, KERNELS), ramp(0.2, 0.4))
