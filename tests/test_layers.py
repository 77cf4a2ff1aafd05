"""Depth layers through time: order, identity, cuts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, load
from pullfocus.stream.layers import LayerTracker, optimal_centres
from sklearn.cluster import KMeans, MiniBatchKMeans

Depth = NDArray[np.float32]


def scene(low: float = 0.0, high: float = 1.0) -> Depth:
    """A floor that comes nearer, a person and a hand, between `low` and `high`."""
    depth = np.linspace(0.0, 0.5, 96)[:, None].repeat(160, axis=1)
    depth[30:90, 50:90] = 0.8
    depth[45:75, 100:130] = 0.95
    return (low + (high - low) * depth).astype(np.float32)


def noisy(depth: Depth, rng: np.random.Generator, sigma: float = 0.005) -> Depth:
    return np.clip(depth + rng.normal(0.0, sigma, depth.shape), 0, 1).astype(np.float32)


def inertia(depth: Depth, centres: NDArray[np.float64]) -> float:
    return float(np.min((depth.ravel()[:, None] - centres) ** 2, axis=1).mean())


def least_inertia(depth: Depth, count: int) -> float:
    model = KMeans(count, n_init=3, random_state=0)  # pyright: ignore[reportArgumentType]
    model.fit(depth.reshape(-1, 1).astype(np.float64))
    return inertia(depth, np.ravel(model.cluster_centers_))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([2, 3, 6, 16]), st.integers(0, 2**31), st.integers(1, 60))
def test_centres_run_from_near_to_far_whatever_comes(count: int, seed: int, height: int) -> None:
    rng = np.random.default_rng(seed)
    tracker = LayerTracker(load("cpu"), count)
    for _ in range(6):
        low, high = np.sort(rng.random(2))
        depth = rng.uniform(low, high, (height, 7)).astype(np.float32)
        centres = tracker.update(depth)
        assert centres.shape == (count,)
        assert np.all(np.diff(centres) < 0)
        assert -0.01 <= centres[-1] < centres[0] <= 1.0 + 1e-6


@pytest.mark.parametrize("count", [2, 6, 10, 16])
def test_few_pixels_change_layer_in_a_static_noisy_clip(kernels: Kernels, rng: np.random.Generator, count: int) -> None:
    tracker, depth = LayerTracker(kernels, count), scene()
    labels = [kernels.assign(depth, tracker.update(noisy(depth, rng))) for _ in range(60)][20:]
    changed = [float(np.mean(a != b)) for a, b in pairwise(labels)]
    assert np.mean(changed) < 0.005


def test_layer_keeps_its_identity_while_the_person_comes_nearer(kernels: Kernels, rng: np.random.Generator) -> None:
    tracker, depth = LayerTracker(kernels, 4), scene(0.0, 0.8)
    tracker.update(noisy(depth, rng))
    person: list[int] = []
    for step in range(60):
        moved = depth.copy()
        moved[30:90, 50:90] += 0.001 * step
        labels = kernels.assign(moved, tracker.update(noisy(moved, rng)))
        person.append(int(np.median(labels[30:90, 50:90])))
    assert len(set(person)) == 1


@pytest.mark.parametrize("count", [4, 6])
@pytest.mark.parametrize(
    ("before", "after"), [((0, 1), (0.4, 0.5)), ((0.4, 0.5), (0, 1)), ((0, 0.3), (0.6, 1)), ((0.5, 1), (0, 0.3))]
)
def test_scene_cut_is_followed_within_one_frame(
    kernels: Kernels, rng: np.random.Generator, before: tuple[float, float], after: tuple[float, float], count: int
) -> None:
    tracker = LayerTracker(kernels, count)
    for _ in range(15):
        tracker.update(noisy(scene(*before), rng))
    new = noisy(scene(*after)[:, ::-1], rng)
    assert inertia(new, tracker.update(new)) < 1.15 * least_inertia(new, count)


@pytest.mark.parametrize("count", [2, 3, 6, 10, 16])
def test_layers_are_as_good_as_full_k_means(kernels: Kernels, rng: np.random.Generator, count: int) -> None:
    tracker, depth = LayerTracker(kernels, count), noisy(scene(), rng, 0.02)
    centres = [tracker.update(depth) for _ in range(20)][-1]
    assert inertia(depth, centres) < 1.02 * least_inertia(depth, count)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 16), st.integers(0, 2**31))
def test_update_is_that_of_scikit_learn(count: int, seed: int) -> None:
    """The same batches from the same start give the same centres and counts, for every batch."""
    rng = np.random.default_rng(seed)
    start = np.sort(rng.uniform(0, 1, count))[::-1].copy()
    # Without reassignment, which would move a centre that saw few samples somewhere else: ours stay in order.
    model = MiniBatchKMeans(count, init=start[:, None], n_init=1, reassignment_ratio=0.0)  # pyright: ignore[reportArgumentType]
    centres, weights = start, np.zeros(count)
    for _ in range(5):
        batch = rng.uniform(0, 1, 200).astype(np.float32)
        model.partial_fit(batch[:, None].astype(np.float64))
        centres, weights = load("cpu").cluster_update(batch, centres, weights)
        np.testing.assert_allclose(centres, np.ravel(model.cluster_centers_), atol=1e-6)
        np.testing.assert_array_equal(weights, model._counts)  # pyright: ignore[reportPrivateUsage]


def test_layers_without_pixels_stay_in_order_and_take_part_again(kernels: Kernels, rng: np.random.Generator) -> None:
    tracker, depth = LayerTracker(kernels, 6), scene()
    with_person = [tracker.update(noisy(depth, rng)) for _ in range(15)][-1]
    empty = depth.copy()
    empty[30:90, 50:130] = np.linspace(0.0, 0.5, 96)[30:90, None]
    without = [tracker.update(noisy(empty, rng)) for _ in range(15)]
    assert all(np.all(np.diff(centres) < 0) and np.isfinite(centres).all() for centres in without)
    assert inertia(empty, without[-1]) < 3 * least_inertia(empty, 6)
    back = [tracker.update(noisy(depth, rng)) for _ in range(2)][-1]
    assert np.abs(back[:2] - with_person[:2]).max() < 0.1


def test_a_reset_starts_anew(kernels: Kernels, rng: np.random.Generator) -> None:
    tracker, fresh = LayerTracker(kernels, 6), LayerTracker(kernels, 6)
    for _ in range(15):
        tracker.update(noisy(scene(), rng))
    tracker.reset()
    new = noisy(scene(0.05, 0.9)[:, ::-1], rng)  # near enough to be followed, were it one scene
    assert np.abs(tracker.update(new) - fresh.update(new)).max() < 0.02


@pytest.mark.parametrize("count", [2, 16])
@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_flat_depth_has_its_layers_too(kernels: Kernels, count: int, value: float) -> None:
    tracker, depth = LayerTracker(kernels, count), np.full((20, 30), value, np.float32)
    for _ in range(5):
        centres = tracker.update(depth)
        assert np.all(np.diff(centres) < 0)
        assert np.abs(centres - value).max() < 0.01
        assert len(np.unique(kernels.assign(depth, centres))) == 1


def test_same_seed_gives_the_same_centres(kernels: Kernels, rng: np.random.Generator) -> None:
    frames = [noisy(scene(), rng) for _ in range(5)]
    trackers = [LayerTracker(kernels, 6, seed) for seed in (3, 3, 4)]
    a, b, other = ([tracker.update(frame) for frame in frames] for tracker in trackers)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, other)


@given(st.lists(st.floats(0, 1, width=32), min_size=5, max_size=9).map(sorted), st.integers(1, 4))
def test_optimal_centres_beat_every_other_choice_of_borders(values: list[float], count: int) -> None:
    points = np.array(values, np.float32)
    centres, mean_square = optimal_centres(points, count)
    assert mean_square == pytest.approx(inertia(points, centres), abs=1e-6)
    rng = np.random.default_rng(0)
    for _ in range(50):
        borders = np.sort(rng.choice(np.arange(1, len(points)), count - 1, replace=False))
        parts = np.split(points.astype(np.float64), borders)
        assert mean_square <= sum(float(((p - p.mean()) ** 2).sum()) for p in parts) / len(points) + 1e-9
