"""Pictures of more than 8 bits and of HDR: their light, their blur, and their 8-bit rendition."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, Lens, RefocusStyle
from pullfocus.kernels.api import AnyPicture, Quality, Transfer
from pullfocus.kernels.cpu.light import coding_of
from pullfocus.kernels.cpu.transfer import FUNCTIONS

TRANSFERS: list[Transfer] = list(get_args(Transfer))
QUALITIES: list[Quality] = ["fast", "fine"]
CENTRES = np.array([0.9, 0.6, 0.4, 0.1])

transfers = pytest.mark.parametrize("transfer", TRANSFERS)
qualities = pytest.mark.parametrize("quality", QUALITIES)


def deep(code: float, size_hw: tuple[int, int] = (200, 150)) -> NDArray[np.uint16]:
    """A picture of one grey; code: 0–1."""
    return np.full((*size_hw, 3), round(65535 * code), np.uint16)


@pytest.mark.parametrize(
    ("transfer", "code", "light"),
    [
        ("pq", 0.5081, 0.01),  # 100 cd/m², ST 2084
        ("pq", 0.5807, 0.0203),  # diffuse white of BT.2408
        ("pq", 1.0, 1.0),
        ("hlg", 0.5, 1 / 12),  # BT.2100-2, table 5
        ("hlg", 0.75, 0.2650),  # diffuse white of BT.2408
        ("hlg", 1.0, 1.0),
        ("srgb", 0.5, 0.2140),
    ],
)
def test_code_values_have_the_light_of_the_standards(transfer: Transfer, code: float, light: float) -> None:
    function = FUNCTIONS[transfer]
    assert function.decode(np.array([code]))[0] == pytest.approx(light, rel=2e-3)
    assert function.encode(np.array([light]))[0] == pytest.approx(code, rel=2e-3)


@transfers
def test_every_16_bit_code_value_comes_back_from_light(transfer: Transfer) -> None:
    ramp = np.arange(65536, dtype=np.uint16)[None, :, None].repeat(3, axis=2)
    coding = coding_of(ramp, transfer)
    assert np.abs(coding.codes_of(coding.to_light(ramp))[0].astype(int) - ramp[..., 0]).max() <= 2


@transfers
@qualities
def test_constant_deep_picture_stays_constant(
    kernels: Kernels, rng: np.random.Generator, transfer: Transfer, quality: Quality
) -> None:
    depth = rng.random((60, 50), np.float32)
    for code in (0.0, 0.02, 0.3, 0.77, 1.0):
        for focus in (0.9, 0.5, 0.1):
            style = RefocusStyle("disc", quality, transfer=transfer)
            out = kernels.refocus(deep(code), depth, CENTRES, Lens(focus, 30.0), style)
            assert out.dtype == np.uint16
            assert np.abs(out.astype(int) - round(65535 * code)).max() <= 8  # an eighth of a level of 10 bits


@qualities
@pytest.mark.parametrize("focus", [0.9, 0.5, 0.1])
def test_16_bits_agree_with_8(kernels: Kernels, rng: np.random.Generator, quality: Quality, focus: float) -> None:
    picture = np.repeat(np.repeat(rng.integers(0, 256, (30, 40, 3), np.uint8), 6, axis=0), 6, axis=1)
    depth = np.repeat(np.repeat(rng.random((6, 8), np.float32), 30, axis=0), 30, axis=1)
    arguments = depth, CENTRES, Lens(focus, 20.0), RefocusStyle("disc", quality)
    in_8 = kernels.refocus(picture, *arguments)
    in_16 = kernels.refocus(picture.astype(np.uint16) * np.uint16(257), *arguments)
    assert np.abs(in_16 / 257.0 - in_8).max() <= 1.0


@transfers
@qualities
def test_smooth_ramp_has_no_steps_after_blur(kernels: Kernels, transfer: Transfer, quality: Quality) -> None:
    """A dark sky: 16 levels of 8 bits over 640 pixels, which 8 bits would show as bands 40 pixels wide."""
    row = np.linspace(0.1, 0.1 + 16 / 255, 640)
    ramp = np.rint(65535 * row).astype(np.uint16)[None, :, None].repeat(240, axis=0).repeat(3, axis=2)
    style = RefocusStyle("disc", quality, transfer=transfer)
    far = np.full((240, 640), 0.2, np.float32)
    out = kernels.refocus(ramp, far, np.array([0.9, 0.2]), Lens(0.9, 20.0), style)
    steps = np.diff(out[120, 40:-40, 0].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 3 * 65535 * np.diff(row).max()  # 8 bits would give steps forty times as high as they should
    np.testing.assert_allclose(out[120, 40:-40, 0], 65535 * row[40:-40], atol=20)


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
@qualities
def test_lamps_of_hdr_spread_their_own_light(kernels: Kernels, transfer: Transfer, quality: Quality) -> None:
    """All light of a lamp lies in its circle; a mean of code values would lose most of it."""
    picture = deep(0.1, (240, 320))
    picture[118:122, 158:162] = round(65535 * 0.75)
    depth = np.full((240, 320), 0.2, np.float32)
    style = RefocusStyle("disc", quality, transfer=transfer)
    out = kernels.refocus(picture, depth, np.array([0.9, 0.2]), Lens(0.9, 20.0 / 0.7), style)
    to_light = coding_of(picture, transfer).to_light
    night = to_light(picture)[0, 0, 0]
    assert (to_light(out)[0] - night).sum() == pytest.approx((to_light(picture)[0] - night).sum(), rel=0.02)
    assert out[120, 160, 0] < 65535 * 0.6


def test_8_bits_are_the_nearest_and_8_bit_pictures_are_themselves(kernels: Kernels) -> None:
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(kernels.to_8_bits(codes), np.rint(codes / 257.0).astype(np.uint8))
    plain = np.zeros((2, 3, 3), np.uint8)
    assert kernels.to_8_bits(plain) is plain


def grey_in_8_bits(kernels: Kernels, code: float, transfer: Transfer) -> int:
    out: AnyPicture = kernels.to_8_bits(deep(code, (1, 1)), transfer)
    assert out.dtype == np.uint8
    assert np.ptp(out) <= 1  # grey stays grey
    return int(out[0, 0, 1])


@pytest.mark.parametrize(("transfer", "white", "grey"), [("pq", 0.5807, 0.38), ("hlg", 0.75, 0.38)])
def test_rendition_of_hdr_has_the_brightness_of_sdr(
    kernels: Kernels, transfer: Transfer, white: float, grey: float
) -> None:
    """Paper is bright but not clipped, an 18 % grey card (BT.2408, table 1) is in the middle, highlights differ."""
    assert 215 <= grey_in_8_bits(kernels, white, transfer) <= 240
    assert 90 <= grey_in_8_bits(kernels, grey, transfer) <= 130
    codes = np.linspace(0.0, 1.0, 50)
    shown = [grey_in_8_bits(kernels, float(code), transfer) for code in codes]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, 255)
    assert grey_in_8_bits(kernels, white + 0.06, transfer) < 255


def test_colours_of_bt2020_become_those_of_bt709(kernels: Kernels) -> None:
    """BT.709's red has these shares of BT.2020's primaries (BT.2087-0): it must come out pure."""
    light = np.array([0.6274, 0.0691, 0.0164]) * 0.01  # 100 cd/m²
    picture = np.rint(65535 * FUNCTIONS["pq"].encode(light)).astype(np.uint16)[None, None]
    red, green, blue = kernels.to_8_bits(picture, "pq")[0, 0].tolist()
    assert red > 150
    assert max(green, blue) < 25
