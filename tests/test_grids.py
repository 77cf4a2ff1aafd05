"""Grids and blocks: the ways between cells and pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pullfocus.kernels.cpu.grids import Blocks, halved, shrunk

BLOCKS = Blocks.of((48, 96), (16, 32), 4)


def everything() -> tuple[np.ndarray, ...]:
    return np.nonzero(np.ones(BLOCKS.count_hw))


@pytest.mark.parametrize("channels", [(), (3,)])
def test_blocks_enlarge_as_the_whole_does(rng: np.random.Generator, channels: tuple[int, ...]) -> None:
    grid = rng.random((12, 24, *channels), np.float32)
    out = np.empty((48, 96, *channels), np.float32)
    BLOCKS.put(out, everything(), BLOCKS.enlarge(grid, everything()))
    np.testing.assert_allclose(out, cv2.resize(grid, (96, 48), interpolation=cv2.INTER_LINEAR), atol=1e-6)


def test_only_chosen_blocks_are_taken_and_put(rng: np.random.Generator) -> None:
    full = rng.random((48, 96), np.float32)
    chosen = np.array([0, 2]), np.array([1, 2])
    np.testing.assert_array_equal(BLOCKS.take(full, chosen), [full[:16, 32:64], full[32:, 64:]])
    out = np.zeros_like(full)
    BLOCKS.put(out, chosen, BLOCKS.take(full, chosen))
    np.testing.assert_array_equal(out != 0.0, np.kron([[0, 1, 0], [0, 0, 0], [0, 0, 1]], np.ones((16, 32))))


def test_extremes_are_of_each_block() -> None:
    full = np.zeros((48, 96), np.float32)
    full[20, 40], full[21, 41] = 3.0, -2.0
    least, greatest = BLOCKS.extremes(full)
    assert (least[1, 1], greatest[1, 1]) == (-2.0, 3.0)
    assert np.count_nonzero(least) == np.count_nonzero(greatest) == 1


def test_a_cell_beside_a_block_counts_as_near() -> None:
    grid = np.zeros((12, 24), np.float32)
    grid[4, 8] = 1.0  # the first cell of block 1, 1: bilinear enlarging takes it into four blocks
    assert BLOCKS.greatest_near(grid).tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 6, 8])
def test_shrunk_cells_are_means(rng: np.random.Generator, scale: int) -> None:
    picture = rng.integers(0, 256, (48, 96, 3), np.uint8)
    means = picture.reshape(48 // scale, scale, 96 // scale, scale, 3).mean(axis=(1, 3))
    assert np.abs(shrunk(picture, scale) - means).max() <= 1.5  # each halving rounds
    planar = np.moveaxis(picture, 2, 0).astype(np.float32)
    np.testing.assert_allclose(np.moveaxis(halved(planar, scale), 0, 2), means, atol=1e-2)
