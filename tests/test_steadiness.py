"""The benchmarks of steadiness, on clips whose figures are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.benchmarks.net_every import drift
from pullfocus.benchmarks.steadiness import WAYS, cost_ms, frames_to_follow, score_still, score_video
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.training.data import Pair

COUNT, PICTURE_HW, NET_HW = 20, (270, 360), (192, 256)


def slope(size_hw: tuple[int, int] = NET_HW) -> InverseDepth:
    return np.repeat(np.linspace(0.1, 0.9, size_hw[0], dtype=np.float32)[:, None], size_hw[1], axis=1)


def noise(rng: np.random.Generator, sigma: float) -> NDArray[np.float32]:
    small = rng.normal(0, sigma, (24, 32)).astype(np.float32)
    return np.asarray(cv2.resize(small, NET_HW[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


@pytest.fixture
def pictures(rng: np.random.Generator) -> list[Picture]:
    """One still picture."""
    still = cv2.GaussianBlur(rng.integers(0, 256, (*PICTURE_HW, 3), np.uint8), (0, 0), 5)
    return [np.asarray(still, np.uint8)] * COUNT


def test_a_video_is_scored_both_ways(pictures: list[Picture], rng: np.random.Generator) -> None:
    pairs = [Pair(picture, slope(PICTURE_HW), True) for picture in pictures]
    figures = score_video(pairs, [slope() + noise(rng, 0.02) for _ in pairs])
    assert set(figures) == set(WAYS)
    assert figures["net, steady"].flicker < 0.6 * figures["net"].flicker
    assert figures["pipeline, steady"].flicker < 0.6 * figures["pipeline"].flicker
    assert figures["net, steady"].abs_rel < figures["net"].abs_rel
    assert all(each.delta1 > 0.9 for each in figures.values())


def test_perfect_depth_stays_perfect(pictures: list[Picture]) -> None:
    pairs = [Pair(picture, slope(PICTURE_HW), True) for picture in pictures]
    for figures in score_video(pairs, [slope()] * COUNT).values():
        assert figures.flicker < 1e-4
        assert figures.delta1 == 1.0


def test_layers_of_a_still_scene_stay(pictures: list[Picture], rng: np.random.Generator) -> None:
    figures = score_still(pictures, [slope() + noise(rng, 0.01) for _ in pictures])
    assert figures["pipeline, steady"].change < 0.5 * figures["pipeline"].change
    assert figures["pipeline, steady"].layer_changes < 0.5 * figures["pipeline"].layer_changes


def test_a_step_is_followed_within_a_frame() -> None:
    assert set(frames_to_follow().values()) == {0}  # "moves" looks at its own frame only


def test_costs_are_measured() -> None:
    assert all(value > 0 for value in cost_ms(frames=4).values())


def test_drift_of_what_stands_still_is_none_and_of_what_moves_is_smaller_when_followed(
    rng: np.random.Generator,
) -> None:
    wide = np.asarray(cv2.GaussianBlur(rng.integers(0, 256, (270, 480, 3), np.uint8), (0, 0), 4), np.uint8)
    wide = np.asarray(cv2.normalize(wide, np.empty_like(wide), 0, 255, cv2.NORM_MINMAX), np.uint8)
    bumps = cv2.GaussianBlur(rng.uniform(0, 1, (192, 352)).astype(np.float32), (0, 0), 6)
    bumps = np.asarray(cv2.normalize(bumps, np.empty_like(bumps), 0, 1, cv2.NORM_MINMAX), np.float32)
    still = drift([wide[:, :360].copy()] * 8, [bumps[:, :256]] * 8, every=4)
    assert still.held == still.followed == 0.0
    pictures = [np.ascontiguousarray(wide[:, 9 * step : 9 * step + 360]) for step in range(8)]
    depths = [_shifted(bumps, 9 * step * 256 / 360) for step in range(8)]
    panned = drift(pictures, depths, every=4)
    assert panned.followed_where_moved < 0.4 * panned.held_where_moved


def _shifted(depth: InverseDepth, left: float) -> InverseDepth:
    """256 columns from `left` on."""
    matrix = np.array([[1.0, 0.0, left], [0.0, 1.0, 0.0]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(depth, matrix, NET_HW[::-1], flags=flags), np.float32)
