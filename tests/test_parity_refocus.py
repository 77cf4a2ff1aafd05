"""Refocus on CUDA against the CPU's, and what must hold of it whatever the CPU's does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, Lens, RefocusStyle
from pullfocus.kernels.api import KernelShape, Quality, Transfer
from pullfocus.kernels.cpu.light import coding_of
from pullfocus.kernels.errors import InputError

from .parity import photo, same, scene_depth

CENTRES = np.array([0.8, 0.45, 0.3, 0.12])
SHAPES: list[KernelShape] = ["disc", "gaussian", "polygon"]
QUALITIES: list[Quality] = ["fast", "fine"]

shapes = pytest.mark.parametrize("shape", SHAPES)
qualities = pytest.mark.parametrize("quality", QUALITIES)


@shapes
@qualities
@pytest.mark.parametrize(("focus", "aperture"), [(0.8, 6.0), (0.3, 3.0), (0.3, 25.0), (0.12, 12.0)])
def test_refocus(
    kernels: Kernels, cuda: Any, shape: KernelShape, quality: Quality, focus: float, aperture: float
) -> None:
    picture, depth = photo((180, 240)), scene_depth((180, 240))
    arguments = depth, CENTRES, Lens.of_aperture(focus, aperture, 180, 0.02), RefocusStyle(shape, quality)
    same(f"refocus_{quality}", cuda.refocus(picture, *arguments), kernels.refocus(picture, *arguments))


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 17), (17, 1), (2, 2), (31, 47), (361, 243)])
def test_refocus_of_any_size_with_a_smaller_depth(kernels: Kernels, cuda: Any, size_hw: tuple[int, int]) -> None:
    picture, depth = photo(size_hw), scene_depth((19, 23))
    arguments = depth, CENTRES, Lens(0.8, 0.1 * size_hw[0] + 4.0), RefocusStyle("disc", "fast")
    same("refocus_fast", cuda.refocus(picture, *arguments), kernels.refocus(picture, *arguments))


@pytest.mark.parametrize("transfer", ["srgb", "pq", "hlg"])
@qualities
def test_refocus_of_16_bits(kernels: Kernels, cuda: Any, transfer: Transfer, quality: Quality) -> None:
    picture = photo((180, 240)).astype(np.uint16) * np.uint16(200)
    style = RefocusStyle("polygon", quality, blades=7, rotation=10.0, transfer=transfer)
    arguments = scene_depth((180, 240)), CENTRES, Lens(0.3, 30.0), style
    same("refocus_deep", cuda.refocus(picture, *arguments), kernels.refocus(picture, *arguments))


def test_16_layers_at_once(kernels: Kernels, cuda: Any) -> None:
    picture, depth = photo((180, 240)), scene_depth((180, 240))
    arguments = depth, np.linspace(1.0, 0.0, 16), Lens(0.5, 60.0), RefocusStyle("disc", "fine")
    same("refocus_fine", cuda.refocus(picture, *arguments), kernels.refocus(picture, *arguments))


def test_more_planes_than_the_kernels_take_are_refused(cuda: Any) -> None:
    picture, depth = photo((1, 1)), scene_depth((1, 1))
    with pytest.raises(InputError, match="at most 17"):
        cuda.refocus(picture, depth, 1.3 ** -np.arange(30.0), Lens(0.0, 1e9), RefocusStyle())


@shapes
@qualities
@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 0, 7), (1, 2, 3)])
def test_constant_picture_stays_constant(
    cuda: Any, rng: np.random.Generator, shape: KernelShape, quality: Quality, colour: tuple[int, int, int]
) -> None:
    picture = np.full((180, 150, 3), colour, np.uint8)
    depth = rng.random((60, 50), np.float32)
    for focus in (0.8, 0.12):
        out = cuda.refocus(picture, depth, CENTRES, Lens(focus, 30.0), RefocusStyle(shape, quality))
        assert np.abs(out.astype(int) - picture).max() <= 1


@shapes
def test_no_radius_gives_a_copy_of_the_picture(cuda: Any, shape: KernelShape) -> None:
    picture = photo((90, 50))
    out = cuda.refocus(picture, scene_depth((90, 50)), CENTRES, Lens(0.5, 0.0), RefocusStyle(shape))
    np.testing.assert_array_equal(out, picture)


@shapes
@qualities
def test_light_is_kept(cuda: Any, shape: KernelShape, quality: Quality) -> None:
    """All of a lamp's light lies in its circle."""
    picture = np.full((180, 240, 3), 20, np.uint8)
    picture[88:92, 118:122] = 255
    depth = np.full((180, 240), 0.12, np.float32)
    out = cuda.refocus(picture, depth, CENTRES, Lens(0.8, 20.0), RefocusStyle(shape, quality))
    before, after = (
        coding_of(picture).to_light(p) - coding_of(picture).to_light(picture)[0, 0, 0] for p in (picture, out)
    )
    assert after.sum() == pytest.approx(before.sum(), rel=0.03)
    assert out.max() < 120


@qualities
@pytest.mark.parametrize("focus", [0.8, 0.12])
def test_mirrored_input_gives_the_mirrored_output(cuda: Any, quality: Quality, focus: float) -> None:
    picture, depth = photo((180, 240)), scene_depth((180, 240))
    arguments = CENTRES, Lens(focus, 20.0), RefocusStyle("disc", quality)
    out = cuda.refocus(picture, depth, *arguments).astype(int)
    for axis in (0, 1):
        turned = cuda.refocus(*(np.ascontiguousarray(np.flip(a, axis)) for a in (picture, depth)), *arguments)
        assert np.abs(np.flip(turned, axis) - out).max() <= 2


def test_what_is_in_focus_keeps_its_pixels_and_does_not_bleed(cuda: Any) -> None:
    y, x = np.mgrid[:180, :240]
    outwards: NDArray[np.float64] = np.hypot(x - 119.5, y - 89.5) - 45.0
    picture = np.where((outwards < 0)[..., None], (255, 0, 0), (128, 128, 128)).astype(np.uint8)
    depth = np.where(outwards < 0, 0.9, 0.2).astype(np.float32)
    for radius_px in (4.0, 18.0, 36.0):
        out = cuda.refocus(picture, depth, np.array([0.9, 0.2]), Lens(0.9, radius_px / 0.7), RefocusStyle())
        np.testing.assert_array_equal(out[outwards < -3], picture[outwards < -3])
        assert (out[..., 0].astype(int) - out[..., 1])[outwards > 3].max() <= 6
