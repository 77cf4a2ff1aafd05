"""What the card needs beside depth and blur: levels, tiles, and what a net sees, on CUDA against the CPU's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pullfocus.engines.shape import shrunk_to
from pullfocus.kernels import Kernels
from pullfocus.kernels.cpu.tiles import caption

from .parity import photo, same, scene_depth

SIZES_HW = [(1, 1), (5, 3), (60, 80), (90, 121)]

sizes = pytest.mark.parametrize("size_hw", SIZES_HW)


@sizes
def test_what_is_no_number_becomes_one(kernels: Kernels, cuda: Any, size_hw: tuple[int, int]) -> None:
    depth = scene_depth(size_hw)
    depth.reshape(-1)[:: max(1, depth.size // 7)] = np.resize([np.nan, np.inf, -np.inf], 1)
    depth.reshape(-1)[-1] = -np.inf
    ours = cuda.finite(depth)
    same("finite", ours, kernels.finite(depth.copy()))
    assert np.isfinite(ours).all()


@sizes
@pytest.mark.parametrize(("low", "span"), [(0.0, 1.0), (0.2, 0.3), (-0.1, 0.02)])
def test_stretched(kernels: Kernels, cuda: Any, size_hw: tuple[int, int], low: float, span: float) -> None:
    depth = scene_depth(size_hw) * np.float32(1.4) - np.float32(0.2)
    same("stretched", cuda.stretched(depth, low, span), kernels.stretched(depth, low, span))


@sizes
def test_rounded(kernels: Kernels, cuda: Any, size_hw: tuple[int, int]) -> None:
    depth = scene_depth(size_hw) * np.float32(1.2) - np.float32(0.1)
    same("rounded", cuda.rounded(depth), kernels.rounded(depth))
    np.testing.assert_array_equal(cuda.rounded(kernels.rounded(depth)), kernels.rounded(depth))


@sizes
@pytest.mark.parametrize("step", [1, 2, 5])
def test_every(cuda: Any, size_hw: tuple[int, int], step: int) -> None:
    depth = scene_depth(size_hw)
    np.testing.assert_array_equal(cuda.every(depth, step), depth[::step, ::step])


@sizes
def test_tiled(kernels: Kernels, cuda: Any, size_hw: tuple[int, int]) -> None:
    tiles = [photo(size_hw, seed) for seed in range(6)]
    for rows in ([tiles[:2]], [tiles[:3], tiles[3:]]):
        same("tiled", cuda.tiled(rows), kernels.tiled(rows))


@pytest.mark.parametrize("size_hw", [*SIZES_HW, (240, 320)])
def test_captioned(kernels: Kernels, cuda: Any, size_hw: tuple[int, int]) -> None:
    picture = photo(size_hw)
    ours = cuda.captioned(picture, "12 layers")
    same("captioned", ours, kernels.captioned(picture, "12 layers"))
    assert (caption("12 layers", *size_hw) is None) == np.array_equal(ours, picture)


@pytest.mark.parametrize(
    ("size_hw", "net_hw", "name"),
    [((200, 330), (192, 320), "shrink_exactly"), ((270, 480), (192, 352), "shrink_exactly"),
     ((600, 1000), (192, 320), "shrink_exactly_halved")],
)  # fmt: skip
def test_a_net_sees_the_same(cuda: Any, size_hw: tuple[int, int], net_hw: tuple[int, int], name: str) -> None:
    picture = photo(size_hw)
    same(name, cuda.shrink_exactly(picture, net_hw), shrunk_to(picture, net_hw))
