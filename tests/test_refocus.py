"""Refocus: what stays, what blurs, and what may not bleed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, Lens, RefocusStyle, load
from pullfocus.kernels.api import Picture, Quality
from pullfocus.kernels.cpu.light import coding_of
from pullfocus.kernels.cpu.refocus import FINEST_HEIGHT_PX

STYLES = [RefocusStyle(shape, quality) for shape in ("disc", "gaussian", "polygon") for quality in ("fast", "fine")]
NEAR, FAR = 0.9, 0.2
RED, GREY = (255, 0, 0), (128, 128, 128)
SIZES_HW = [(1, 1), (1, 17), (17, 1), (2, 2), (3, 5), (31, 47), (181, 243)]

styles = pytest.mark.parametrize("style", STYLES, ids=str)


def picture_of(rng: np.random.Generator, size_hw: tuple[int, int]) -> Picture:
    return rng.integers(0, 256, (*size_hw, 3), np.uint8)


def disc_scene(size_hw: tuple[int, int]) -> tuple[Picture, NDArray[np.float32], NDArray[np.float64]]:
    """A near red disc before a far grey wall; the distance outwards from the disc's edge in pixels."""
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    outwards = np.hypot(x - width / 2 + 0.5, y - height / 2 + 0.5) - height / 4
    inside = outwards < 0
    picture = np.where(inside[..., None], RED, GREY).astype(np.uint8)
    return picture, np.where(inside, NEAR, FAR).astype(np.float32), outwards


def redness(picture: Picture) -> NDArray[np.int64]:
    return picture[..., 0].astype(np.int64) - picture[..., 1]


def working_pixel(height: int, style: RefocusStyle) -> int:
    return max(1, round(height / FINEST_HEIGHT_PX[style.quality]))


def lens_of(focus: float, radius_px: float) -> Lens:
    """One whose circle of confusion has `radius_px` at the other of NEAR and FAR."""
    return Lens(focus, radius_px / (NEAR - FAR))


@styles
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 7), (1, 2, 3)])
def test_constant_picture_stays_constant(
    kernels: Kernels, rng: np.random.Generator, style: RefocusStyle, colour: tuple[int, int, int]
) -> None:
    picture = np.full((200, 150, 3), colour, np.uint8)
    depth = rng.random((60, 50), np.float32)
    centres = np.array([0.9, 0.6, 0.4, 0.1])
    for focus in (0.9, 0.5, 0.1):
        out = kernels.refocus(picture, depth, centres, Lens(focus, 30.0), style)
        assert np.abs(out.astype(int) - picture).max() <= 1


@styles
def test_no_radius_gives_the_picture_itself(kernels: Kernels, rng: np.random.Generator, style: RefocusStyle) -> None:
    picture, depth = picture_of(rng, (360, 200)), rng.random((90, 50), np.float32)
    out = kernels.refocus(picture, depth, np.array([0.7, 0.3]), Lens(0.5, 0.0), style)
    np.testing.assert_array_equal(out, picture)
    assert out is not picture


@styles
@pytest.mark.parametrize("size_hw", [(180, 240), (360, 480), (720, 480)])
def test_sharp_subject_does_not_bleed_into_the_blurred_wall(
    kernels: Kernels, style: RefocusStyle, size_hw: tuple[int, int]
) -> None:
    picture, depth, outwards = disc_scene(size_hw)
    pixel = working_pixel(size_hw[0], style)
    for radius in (0.02, 0.1, 0.2):
        out = kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(NEAR, radius * size_hw[0]), style)
        np.testing.assert_array_equal(out[outwards < -3 * pixel], picture[outwards < -3 * pixel])
        # Working pixels that straddle the edge hold a little red; a plain blur would give 100 levels.
        assert redness(out)[outwards > 3 * pixel].max() <= 6


@styles
def test_front_blur_spreads_over_the_sharp_wall(kernels: Kernels, style: RefocusStyle) -> None:
    picture, depth, outwards = disc_scene((360, 480))
    out = kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(FAR, 24.0), style)
    tint = redness(out)
    assert tint[(outwards > 4) & (outwards < 8)].min() > 10
    assert tint[outwards > 24 + 16].max() <= 2  # and not for ever
    np.testing.assert_array_equal(out[outwards > 24 + 16], picture[outwards > 24 + 16])
    assert tint[(outwards < -4) & (outwards > -8)].max() < 245  # the rim became translucent


@styles
@pytest.mark.parametrize("focus", [NEAR, FAR])
def test_mirrored_input_gives_the_mirrored_output(
    kernels: Kernels, rng: np.random.Generator, style: RefocusStyle, focus: float
) -> None:
    picture = np.repeat(np.repeat(picture_of(rng, (12, 16)), 15, axis=0), 15, axis=1)
    depth = np.roll(disc_scene((180, 240))[1], (20, 30), axis=(0, 1))  # no symmetry of its own
    centres, lens = np.array([NEAR, FAR]), Lens(focus, 20.0)
    out = kernels.refocus(picture, depth, centres, lens, style).astype(int)
    for axis in (0, 1):
        turned, turned_depth = np.ascontiguousarray(np.flip(picture, axis)), np.ascontiguousarray(np.flip(depth, axis))
        mirrored = kernels.refocus(turned, turned_depth, centres, lens, style)
        assert np.abs(np.flip(mirrored, axis) - out).max() <= 2


@styles
def test_more_radius_leaves_less_detail(kernels: Kernels, rng: np.random.Generator, style: RefocusStyle) -> None:
    picture, depth = picture_of(rng, (180, 240)), np.full((180, 240), FAR, np.float32)
    detail = [
        float(kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(NEAR, radius), style).std())
        for radius in (0.0, 0.4, 0.8, 1.0, 1.5, 3, 6, 12, 40)
    ]
    assert all(b <= a + 0.1 for a, b in pairwise(detail))
    assert detail[-1] < 0.1 * detail[0]


def test_layer_fades_into_blur_without_a_jump(kernels: Kernels, rng: np.random.Generator) -> None:
    """Around the radius at which a layer leaves the full-size picture for the working grid."""
    picture = np.repeat(np.repeat(picture_of(rng, (60, 80)), 12, axis=0), 12, axis=1)  # 720 × 960, blocks
    depth = np.full((180, 240), FAR, np.float32)
    outs = [
        kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(NEAR, radius), RefocusStyle()).astype(int)
        for radius in (3.0, 3.6, 3.99, 4.0, 4.4, 5.0)
    ]
    steps = [np.abs(b - a).mean() for a, b in pairwise(outs)]
    assert steps[2] < 2.0 * max(steps[0], steps[1], steps[3])  # 3.99 → 4.00 is no larger a step than its neighbours


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(SIZES_HW), st.integers(2, 16), st.floats(0, 1), st.floats(0, 50),
    st.sampled_from(STYLES), st.integers(0, 2**31),
)  # fmt: skip
def test_any_input_gives_a_picture_and_changes_no_input(
    size_hw: tuple[int, int], count: int, focus: float, aperture: float, style: RefocusStyle, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    picture = picture_of(rng, size_hw)
    depth = rng.random((rng.integers(1, 40), rng.integers(1, 40)), np.float32)
    centres = np.sort(rng.random(count))[::-1].copy()
    lens = Lens.of_aperture(focus, aperture, size_hw[0])
    before = picture.copy(), depth.copy(), centres.copy()
    out = load("cpu").refocus(picture, depth, centres, lens, style)
    assert out.shape == picture.shape
    assert out.dtype == np.uint8
    for now, then in zip((picture, depth, centres), before):
        np.testing.assert_array_equal(now, then)


@styles
def test_output_stays_within_the_range_of_the_input(
    kernels: Kernels, rng: np.random.Generator, style: RefocusStyle
) -> None:
    """A wrapped or NaN pixel would show as an outlier."""
    picture = rng.integers(90, 120, (200, 300, 3), np.uint8)
    depth = rng.random((50, 70), np.float32)
    centres = np.linspace(0.95, 0.05, 8)
    for focus in (0.95, 0.5, 0.05):
        out = kernels.refocus(picture, depth, centres, Lens(focus, 60.0), style)
        assert out.min() >= 89
        assert out.max() <= 120


@styles
def test_what_a_near_thing_hides_is_guessed_from_what_lies_behind_it(kernels: Kernels, style: RefocusStyle) -> None:
    """A near black bar, far out of focus, before a green wall in focus: its rim lets the wall through, not black."""
    picture = np.full((240, 320, 3), (20, 200, 40), np.uint8)
    depth = np.full((240, 320), FAR, np.float32)
    picture[:, 150:170], depth[:, 150:170] = 0, NEAR
    out = kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(FAR, 20.0), style)
    # A bar 20 px wide under circles of 40 px covers its own middle by some 60 % at most: the wall shines through.
    assert out[120, 160, 1] > 110
    assert out[120, 160, 0] < 30


@pytest.mark.parametrize("quality", ["fast", "fine"])
def test_slanted_table_has_no_bands(kernels: Kernels, rng: np.random.Generator, quality: Quality) -> None:
    """Detail may only fall, smoothly, away from the row in focus."""
    picture = np.repeat(np.repeat(picture_of(rng, (60, 400)), 6, axis=0), 2, axis=1)[:, :800]
    depth = np.linspace(0.1, 0.9, 360, dtype=np.float32)[:, None].repeat(800, axis=1)
    centres = np.linspace(0.85, 0.15, 6)
    out = kernels.refocus(picture, depth, centres, Lens(0.1, 40.0), RefocusStyle("disc", quality)).astype(float)
    detail = np.abs(np.diff(out, axis=1)).mean(axis=(1, 2)).reshape(-1, 24).mean(axis=1)
    assert np.all(detail[1:] < 1.12 * detail[:-1] + 0.05)  # the last rows are grey but for rounding
    assert detail[-1] < 0.2 * detail[0]


@pytest.mark.parametrize("radius", [7.0, 19.0])
def test_point_of_light_becomes_the_aperture(kernels: Kernels, radius: float) -> None:
    """A lamp shows the shape of the lens: a disc of even light, or a hexagon with its corners."""
    picture, depth = np.zeros((180, 240, 3), np.uint8), np.full((180, 240), FAR, np.float32)
    picture[88:92, 118:122] = 255
    to_light = coding_of(picture).to_light
    out = {
        shape: to_light(
            kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(NEAR, radius), RefocusStyle(shape, "fine"))
        )[0]
        for shape in ("disc", "polygon", "gaussian")
    }
    y, x = np.mgrid[:180, :240]
    angle = np.arctan2(y - 89.5, x - 119.5)
    ring = np.abs(np.hypot(y - 89.5, x - 119.5) - radius) < 1.5
    sixfold = {shape: float(np.abs(np.mean(light[ring] * np.exp(6j * angle[ring])))) for shape, light in out.items()}
    assert sixfold["polygon"] > 3.0 * sixfold["disc"]
    middle = {shape: float(light[80:100, 110:130].max() / light.sum()) for shape, light in out.items()}
    assert middle["gaussian"] > 1.5 * middle["disc"]  # a disc is flat, a Gaussian has a peak


@styles
def test_highlights_bloom_in_linear_light(kernels: Kernels, style: RefocusStyle) -> None:
    """Light is added, not code values: half of a white lamp over black is sRGB 188, not 128."""
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:, 160:] = 255
    depth = np.full((240, 320), FAR, np.float32)
    out = kernels.refocus(picture, depth, np.array([NEAR, FAR]), lens_of(NEAR, 12.0), style)
    assert np.mean(out[60:180, 159:161]) == pytest.approx(188, abs=12)
