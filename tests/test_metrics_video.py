"""Steadiness from frame to frame, on frames whose figures follow by hand."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.training.metrics import Frame, flicker, opw, video

NAN = float("nan")
SHAPE = (64, 96)


def texture(seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).uniform(0, 255, (*SHAPE, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(smooth, smooth.copy(), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def frame(prediction: Any, truth: Any, image: NDArray[np.uint8] | None = None) -> Frame:
    return Frame(texture() if image is None else image, np.array(prediction, float), np.array(truth, float))


def halves(left: float, right: float) -> NDArray[np.float64]:
    return np.where(np.arange(SHAPE[1]) < SHAPE[1] // 2, left, right) * np.ones(SHAPE)


def test_flicker_by_hand() -> None:
    # Pixels 0 and 1 held still (0.9 %), 2 moved by 1.2 %, 3 and 4 are unknown in one frame: mean(0.1, 0) over 2.
    now = frame([[0.0, 0.2, 0.4, 2.0, 1.0]], [[0.5, 0.5, 0.5, NAN, 0.5]])
    before = frame([[0.1, 0.2, 0.9, 0.0, 0.0]], [[0.5, 0.5045, 0.506, 0.5, NAN]])
    assert flicker(now, before) == pytest.approx(0.05 / 2)
    doubled = frame(7 + 3 * now.prediction, now.truth), frame(7 + 3 * before.prediction, before.truth)
    assert flicker(*doubled) == pytest.approx(0.05 / 2)


def test_flicker_of_a_still_prediction_is_zero() -> None:
    still = frame(halves(0.1, 0.9), halves(0.2, 0.4))
    assert flicker(still, still) == 0.0


def test_flicker_without_still_pixels_or_range_is_nan() -> None:
    a = frame([[0.0, 1.0]], [[0.5, NAN]])
    assert np.isnan(flicker(a, frame([[0.0, 1.0]], [[0.6, 0.5]])))
    assert np.isnan(flicker(frame([[1.0, 1.0]], [[0.5, 0.5]]), frame([[0.0, 1.0]], [[0.5, 0.5]])))


def test_opw_of_a_change_of_depth_by_hand() -> None:
    # The picture stands still; the left half goes from 2 m to 1 m, the right half from 2.5 m to 2 m.
    now, before = halves(0.5, 0.25), halves(0.25, 0.2)
    assert opw(frame(now, now), frame(before, before)) == pytest.approx((1.0 + 0.5) / 2)
    scaled = frame(3 * now + 1, now), frame(3 * before + 1, before)
    assert opw(*scaled) == pytest.approx((1.0 + 0.5) / 2)
    assert opw(frame(now, now), frame(now, now)) == pytest.approx(0, abs=1e-9)


def test_opw_sees_a_change_of_scale() -> None:
    truth = halves(0.5, 0.25)
    assert opw(frame(truth, truth), frame(0.8 * truth, truth)) > 0.1


def test_opw_follows_the_motion() -> None:
    # Everything moves right by 4 px: depth that moves along is steady, depth that stays behind is not.
    picture, depth = texture(), cv2.GaussianBlur(halves(0.5, 0.2), (0, 0), 3)
    before = frame(depth, depth, picture)
    moved_picture, moved_depth = np.roll(picture, 4, axis=1), np.roll(depth, 4, axis=1)
    moved_depth[:, :4] = 0.5
    follows = opw(frame(moved_depth, moved_depth, moved_picture), before)
    stays = opw(frame(depth, moved_depth, moved_picture), before)
    assert follows < 0.25 * stays
    assert stays > 0.02


def test_opw_leaves_out_what_looks_new() -> None:
    before_picture, now_picture = np.zeros((*SHAPE, 3), np.uint8), np.zeros((*SHAPE, 3), np.uint8)
    now_picture[:, : SHAPE[1] // 2] = 255  # a flash: no motion explains it
    changed = frame(halves(0.5, 0.25), halves(0.5, 0.25), now_picture)
    before = frame(halves(0.25, 0.25), halves(0.25, 0.25), before_picture)
    assert opw(changed, before) == pytest.approx(0, abs=1e-6)
    assert opw(frame(changed.prediction, changed.truth, before_picture), before) == pytest.approx(0.5)


def test_opw_leaves_out_what_came_into_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def ten_px_to_the_right(now: NDArray[np.uint8], _: NDArray[np.uint8]) -> NDArray[np.float32]:
        flow = np.zeros((*now.shape[:2], 2), np.float32)
        flow[..., 0] = -10
        return flow

    monkeypatch.setattr(video, "optical_flow", ten_px_to_the_right)
    grey = np.full((*SHAPE, 3), 128, np.uint8)  # so that colour cannot tell
    before, now = halves(0.5, 0.25), np.roll(halves(0.5, 0.25), 10, axis=1)
    now[:, :10] = 0.1
    assert opw(frame(now, now, grey), frame(before, before, grey)) == pytest.approx(0, abs=1e-6)
    now[:, 10:20] = 0.25
    assert opw(frame(now, now, grey), frame(before, before, grey)) == pytest.approx(10 / SHAPE[1])


def test_opw_without_measurements_is_nan() -> None:
    nothing = frame(halves(0.5, 0.2), np.full(SHAPE, NAN))
    assert np.isnan(opw(nothing, nothing))
