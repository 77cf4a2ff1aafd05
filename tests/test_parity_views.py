"""Views, small copies and 8-bit renditions on CUDA against the CPU's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pullfocus.kernels import Kernels, Lens
from pullfocus.kernels.api import Transfer

from .parity import photo, same, scene_depth

LENS = Lens(0.35, 20.0, 0.02)
SIZES_HW = [(1, 1), (5, 3), (60, 80), (90, 121)]

sizes = pytest.mark.parametrize("size_hw", SIZES_HW)


@sizes
@pytest.mark.parametrize("to_hw", [(8, 12), (45, 60), (96, 128)])
def test_shrink(kernels: Kernels, cuda: Any, size_hw: tuple[int, int], to_hw: tuple[int, int]) -> None:
    picture = photo(size_hw)
    same("shrink", cuda.shrink(picture, to_hw), kernels.shrink(picture, to_hw))


@sizes
def test_colour_depth(kernels: Kernels, cuda: Any, size_hw: tuple[int, int]) -> None:
    depth = scene_depth((30, 41))
    same("colour_depth", cuda.colour_depth(depth, size_hw), kernels.colour_depth(depth, size_hw))


@sizes
@pytest.mark.parametrize("layers", [2, 7, 16])
def test_colour_layers(
    kernels: Kernels, cuda: Any, rng: np.random.Generator, size_hw: tuple[int, int], layers: int
) -> None:
    labels = rng.integers(0, layers, (30, 41)).astype(np.uint8)
    same("colour_layers", cuda.colour_layers(labels, layers, size_hw), kernels.colour_layers(labels, layers, size_hw))


@sizes
@pytest.mark.parametrize("name", ["mark_in_focus", "tint_by_focus"])
@pytest.mark.parametrize("depth_hw", [(30, 41), None])
def test_where_the_focus_is(
    kernels: Kernels, cuda: Any, size_hw: tuple[int, int], name: str, depth_hw: tuple[int, int] | None
) -> None:
    picture, depth = photo(size_hw), scene_depth(depth_hw or size_hw)
    same(name, getattr(cuda, name)(picture, depth, LENS), getattr(kernels, name)(picture, depth, LENS))


@pytest.mark.parametrize("transfer", ["srgb", "pq", "hlg"])
@pytest.mark.parametrize("factor", [1, 257, 200])
def test_to_8_bits(kernels: Kernels, cuda: Any, transfer: Transfer, factor: int) -> None:
    picture = photo((60, 80)) if factor == 1 else photo((60, 80)).astype(np.uint16) * np.uint16(factor)
    same("to_8_bits", cuda.to_8_bits(picture, transfer), kernels.to_8_bits(picture, transfer))
