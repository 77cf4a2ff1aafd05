"""A net's depth through time: still scenes hold still, what moves is there at once."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels import Kernels
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.stream.steady import DepthMemory

PICTURE_HW, NET_HW = (360, 640), (192, 352)
NEAR, FAR = 0.8, 0.2


def wall(seed: int = 0) -> Picture:
    noise = np.random.default_rng(seed).uniform(0, 1, (*PICTURE_HW, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return cv2.normalize(smooth, smooth.copy(), 60, 160, cv2.NORM_MINMAX).astype(np.uint8)


def scene(left: int | None) -> tuple[Picture, InverseDepth]:
    """A wall, and before it a box whose left side is at `left`, with the depth of both."""
    picture, depth = wall(), np.full(NET_HW, FAR, np.float32)
    if left is not None:
        picture[120:300, left : left + 160] = wall(1)[120:300, :160] + np.array((90, 20, 0), np.uint8)
        scale = NET_HW[1] / PICTURE_HW[1]
        depth[64:160, round(left * scale) : round((left + 160) * scale)] = NEAR
    return picture, depth


def noisy(picture: Picture, depth: InverseDepth, rng: np.random.Generator) -> tuple[Picture, InverseDepth]:
    """As a camera and a net give them."""
    seen = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    small = rng.normal(0, 0.02, (24, 44)).astype(np.float32)  # a net errs over whole surfaces
    return seen, depth + np.asarray(cv2.resize(small, NET_HW[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


@pytest.fixture
def memory(kernels: Kernels) -> DepthMemory:
    return DepthMemory(kernels, steady=True)


def test_a_still_scene_holds_still(memory: DepthMemory, rng: np.random.Generator) -> None:
    given: list[NDArray[np.float32]] = []
    kept: list[NDArray[np.float32]] = []
    for _ in range(30):
        picture, depth = noisy(*scene(200), rng)
        given.append(depth)
        kept.append(memory.update(picture, depth))
    assert np.abs(np.diff(kept[10:], axis=0)).mean() < 0.25 * np.abs(np.diff(given[10:], axis=0)).mean()
    truth = scene(200)[1]
    assert np.abs(kept[-1] - truth).mean() < 0.6 * np.abs(given[-1] - truth).mean()


def test_what_appears_and_goes_is_followed_at_once(memory: DepthMemory, rng: np.random.Generator) -> None:
    for _ in range(20):
        memory.update(*noisy(*scene(None), rng))
    for left in (200, None):
        new = memory.update(*noisy(*scene(left), rng))
        box = scene(200)[1] == NEAR
        step = NEAR - FAR
        wanted = NEAR if left is not None else FAR
        assert np.mean(np.abs(new[box] - wanted) < 0.1 * step) > 0.99
        for _ in range(10):
            memory.update(*noisy(*scene(left), rng))


def test_what_moves_leaves_no_trail(memory: DepthMemory, rng: np.random.Generator) -> None:
    for left in range(40, 400, 12):
        picture, depth = noisy(*scene(left), rng)
        kept = memory.update(picture, depth)
        if left > 100:
            truth = scene(left)[1]
            assert np.mean(np.abs(kept - truth) > 0.25 * (NEAR - FAR)) < 0.01


def test_between_net_frames_depth_moves_along(kernels: Kernels) -> None:
    errors: dict[str, list[float]] = {"moved": [], "held": []}
    memory = DepthMemory(kernels, steady=True, net_every=4)
    last = scene(40)[1]
    for index, left in enumerate(range(40, 360, 8)):
        picture, truth = scene(left)
        due = index % 4 == 0
        last = truth if due else last
        kept = memory.update(picture, truth if due else None)
        if not due:
            errors["moved"].append(float(np.abs(kept - truth).mean()))
            errors["held"].append(float(np.abs(last - truth).mean()))
    assert np.mean(errors["moved"]) < 0.4 * np.mean(errors["held"])


def test_without_steadying_the_nets_depth_is_used_as_it_is(kernels: Kernels, rng: np.random.Generator) -> None:
    plain, every_second = DepthMemory(kernels, steady=False), DepthMemory(kernels, steady=False, net_every=2)
    for index in range(5):
        picture, depth = noisy(*scene(200), rng)
        assert plain.update(picture, depth) is depth
        moved = every_second.update(picture, depth if index % 2 == 0 else None)
        assert (moved is depth) == (index % 2 == 0)


def test_a_reset_forgets_everything(memory: DepthMemory, rng: np.random.Generator) -> None:
    for _ in range(10):
        memory.update(*noisy(*scene(200), rng))
    memory.reset()
    picture, depth = noisy(*scene(200), rng)
    assert memory.update(picture, depth) is depth


def test_another_size_begins_anew(memory: DepthMemory) -> None:
    picture, depth = scene(200)
    memory.update(picture, depth)
    upright = np.full((352, 192), 0.4, np.float32)
    turned = picture.transpose(1, 0, 2).copy()
    np.testing.assert_array_equal(memory.update(turned, upright), upright)
    np.testing.assert_allclose(memory.update(turned, upright), upright, atol=1e-6)  # and goes on from there
    picture, depth = scene(200)
    np.testing.assert_array_equal(memory.update(picture, depth), depth)
