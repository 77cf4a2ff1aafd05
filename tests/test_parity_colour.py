"""Frames of a decoder, and what nets take: against the standards, OpenCV and the net's own preparation."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.engines.shape import MEAN, STD, shrunk_to
from pullfocus.kernels.cuda import YuvLayout, YuvSystem
from pullfocus.kernels.errors import InputError

from .parity import photo, same

Matrix = Literal["bt601", "bt709", "bt2020"]
SYSTEMS = [YuvSystem(matrix, full) for matrix in ("bt601", "bt709", "bt2020") for full in (False, True)]

systems = pytest.mark.parametrize("system", SYSTEMS, ids=str)


def flat_frame(yuv: tuple[int, int, int], size_hw: tuple[int, int] = (6, 8), planar: bool = False) -> NDArray[np.uint8]:
    frame = np.full((size_hw[0] * 3 // 2, size_hw[1]), yuv[0], np.uint8)
    chroma = frame[size_hw[0] :].reshape(-1)
    chroma[:] = np.repeat(yuv[1:], chroma.size // 2) if planar else np.tile(yuv[1:], chroma.size // 2)
    return frame


@pytest.mark.parametrize(
    ("matrix", "full", "yuv", "rgb"),
    [
        ("bt601", False, (81, 90, 240), (255, 0, 0)),  # the codes of colour bars of full saturation
        ("bt601", False, (145, 54, 34), (0, 255, 0)),
        ("bt709", False, (63, 102, 240), (255, 0, 0)),
        ("bt709", False, (32, 240, 118), (0, 0, 255)),
        ("bt709", False, (235, 128, 128), (255, 255, 255)),
        ("bt709", False, (16, 128, 128), (0, 0, 0)),
        ("bt601", True, (76, 85, 255), (254, 0, 0)),  # JPEG's red, whose Cr would be 255.5
        ("bt709", True, (200, 128, 128), (200, 200, 200)),
    ],
)
@pytest.mark.parametrize("planar", [False, True])
def test_codes_of_the_standards(
    cuda: Any, matrix: Matrix, full: bool, yuv: tuple[int, int, int], rgb: tuple[int, int, int], planar: bool
) -> None:
    system = YuvSystem(matrix, full)
    out = cuda.from_yuv(flat_frame(yuv, planar=planar), YuvLayout(6, 8, planar), system)
    assert np.abs(out.astype(int) - rgb).max() <= 2
    if not planar:
        back = cuda.to_nv12(np.full((6, 8, 3), rgb, np.uint8), system)
        assert np.abs(back.astype(int) - flat_frame(yuv)).max() <= 1


@pytest.mark.parametrize("planar", [False, True])
def test_frames_are_opencvs(cuda: Any, rng: np.random.Generator, planar: bool) -> None:
    """OpenCV repeats chroma, so it is even here over 32 × 32 pixels; between them it is not compared."""
    frame = rng.integers(16, 236, (96, 64), np.uint8)
    chroma = rng.integers(90, 166, (2, 2, 2), np.uint8).repeat(16, axis=1).repeat(16, axis=2)
    frame[64:] = (chroma if planar else np.moveaxis(chroma, 0, -1)).reshape(32, 64)
    how = cv2.COLOR_YUV2RGB_I420 if planar else cv2.COLOR_YUV2RGB_NV12
    ours = cuda.from_yuv(frame, YuvLayout(64, 64, planar), YuvSystem("bt601"))
    inner = [i for i in range(64) if i % 32 not in (0, 1, 30, 31)]
    same("yuv", ours[np.ix_(inner, inner)], cv2.cvtColor(frame, how)[np.ix_(inner, inner)])


@systems
def test_there_and_back_is_the_same_picture(cuda: Any, system: YuvSystem) -> None:
    smooth = cv2.GaussianBlur(photo((90, 120)), (0, 0), 4)
    back = cuda.from_yuv(cuda.to_nv12(smooth, system), YuvLayout(90, 120), system)
    apart = np.abs(back.astype(int) - smooth)
    assert apart.mean() < 1.0
    assert np.percentile(apart, 99) <= 4


def test_rows_may_be_longer_than_the_picture(cuda: Any, rng: np.random.Generator) -> None:
    """As a decoder on the GPU gives them."""
    frame = rng.integers(0, 256, (36, 40), np.uint8)
    wide = np.pad(frame, ((0, 0), (0, 24)))
    system = YuvSystem()
    np.testing.assert_array_equal(
        cuda.from_yuv(wide, YuvLayout(24, 40), system), cuda.from_yuv(frame, YuvLayout(24, 40), system)
    )


def test_rows_for_an_encoder_may_be_longer_than_the_picture(cuda: Any) -> None:
    picture = photo((24, 40))
    long = cuda.to_nv12(picture, YuvSystem(), 64)
    assert long.shape == (36, 64)
    np.testing.assert_array_equal(long[:, :40], cuda.to_nv12(picture, YuvSystem()))


@pytest.mark.parametrize(
    ("size_hw", "name"), [((192, 352), "net_input"), ((128, 224), "net_input"), ((64, 96), "net_input_halved")]
)
def test_net_input_is_what_the_engines_make(cuda: Any, size_hw: tuple[int, int], name: str) -> None:
    picture = photo((270, 480))
    small = shrunk_to(picture, size_hw).astype(np.float32) / 255.0
    expected = np.moveaxis((small - np.array(MEAN)) / np.array(STD), -1, 0).astype(np.float16)
    same(name, cuda.net_input(picture, size_hw, MEAN, STD), expected)


@systems
@pytest.mark.parametrize("planar", [False, True])
def test_net_input_of_a_frame_is_that_of_its_picture(cuda: Any, system: YuvSystem, planar: bool) -> None:
    smooth = cv2.GaussianBlur(photo((180, 240)), (0, 0), 4)
    frame = cuda.to_nv12(smooth, system)
    if planar:
        frame[180:] = np.moveaxis(frame[180:].reshape(-1, 2), -1, 0).reshape(90, 240)
    ours = cuda.net_input_of_yuv(frame, YuvLayout(180, 240, planar), system, (64, 96), MEAN, STD)
    same("net_input_of_yuv", ours, cuda.net_input(smooth, (64, 96), MEAN, STD))


def test_frames_that_cannot_be_are_refused(cuda: Any) -> None:
    with pytest.raises(InputError, match="7×6; expected even"):
        YuvLayout(6, 7)
    with pytest.raises(InputError, match="expected 9 rows of 8"):
        cuda.from_yuv(np.zeros((8, 8), np.uint8), YuvLayout(6, 8), YuvSystem())
    with pytest.raises(InputError, match="bt601, bt709, bt2020"):
        YuvSystem("smpte240m")  # pyright: ignore[reportArgumentType]
