"""Sequences of pictures of 16 bits and with alpha, in and out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels.errors import InputError
from pullfocus.stream.animation_out import write_animation
from pullfocus.stream.colour import ColourTags
from pullfocus.stream.films import open_film
from pullfocus.stream.frame import Frame
from pullfocus.stream.packet_file import Facts, PacketWriter
from pullfocus.stream.pictures import read_whole, way_to_read
from pullfocus.stream.stored import LosslessEncoder, StoredFrame, stored_frames
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_info import VideoInfo
from pullfocus.stream.video_job import refocus_video

from .clip import draw, draw_deep, write_deep_clip
from .command import assert_one_line, run
from .probe import decode_all
from .test_fidelity import HLG, X265
from .test_side_streams import PLANE

SIZE_WH, FRAMES = (64, 48), 3
SHARP = replace(PLANE, aperture=0.0)


def write_stills(folder: Path, ending: str, pixels: Sequence[NDArray[Any]]) -> str:
    folder.mkdir()
    for index, each in enumerate(pixels):
        bgr = (
            each
            if each.ndim == 2
            else cv2.cvtColor(each, cv2.COLOR_RGB2BGR if each.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
        )
        assert cv2.imwrite(str(folder / f"{index:02d}{ending}"), bgr)
    return str(folder)


def deep_pictures(grey: bool = False) -> list[NDArray[Any]]:
    """Ramps with a little noise, so that all 16 bits are in use."""
    rng = np.random.default_rng(0)
    whole = [
        draw_deep(index, SIZE_WH)[..., :3] ^ rng.integers(0, 256, (48, 64, 3), np.uint16) for index in range(FRAMES)
    ]
    return [np.ascontiguousarray(each[..., 0]) for each in whole] if grey else whole


def written(folder: Path) -> list[NDArray[Any]]:
    """As any other program would read them, in RGB."""
    return [_rgb(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)) for path in sorted(folder.iterdir())]


def _rgb(pixels: NDArray[Any] | None) -> NDArray[Any]:
    assert pixels is not None
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_a_segment_gives_back_every_bit(
    bits: int, dtype: type[np.uint8 | np.uint16], alpha: bool, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Noise of an odd size, at odd times."""
    info = VideoInfo((37, 51), Fraction(25), Fraction(1, 90_000), "", ColourTags(), alpha=alpha)
    whole = rng.integers(0, 1 << bits, (15, 37, 51, 4), dtype)
    encoder = LosslessEncoder(av.open(os.devnull, "w", format="nut"), info, (37, 51), bits, alpha)
    writer = PacketWriter(tmp_path / "segment")
    for index, each in enumerate(whole):
        beside = np.ascontiguousarray(each[..., 3]) if alpha else None
        picture = np.ascontiguousarray(each[..., :3])
        frame = Frame(picture, index, 7 + 3601 * index, info.time_base, 3601 + index, alpha=beside)
        writer.write(encoder.encode(picture, frame))
    writer.write(encoder.flush())
    headers = encoder.stream.codec_context.extradata or b""
    writer.finish(Facts((37, 51), info.time_base, headers, ()))
    got = list(stored_frames([tmp_path / "segment"] * 2, bits))
    for index, (frame, expected) in enumerate(zip(got, [*whole, *whole], strict=True)):
        np.testing.assert_array_equal(frame.picture, expected[..., :3])
        assert frame.picture.dtype == dtype
        assert (frame.alpha is not None) == alpha
        if frame.alpha is not None:
            np.testing.assert_array_equal(frame.alpha, expected[..., 3])
        number = index % len(whole)
        assert (frame.start_s, frame.duration_s) == (
            Fraction(7 + 3601 * number, 90_000),
            Fraction(3601 + number, 90_000),
        )


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_16_bits_come_back_as_they_were(ending: str, grey: bool, tmp_path: Path) -> None:
    pictures = deep_pictures(grey)
    assert len(np.unique(pictures[0])) > 1000
    source = write_stills(tmp_path / "in", ending, pictures)
    report = refocus_video(source, tmp_path / "out" / f"%d{ending}", SHARP)
    assert report.notes == []
    for got, expected in zip(written(tmp_path / "out"), pictures, strict=True):
        assert got.dtype == np.uint16
        np.testing.assert_array_equal(got, np.dstack([expected] * 3) if grey else expected)


def test_blurred_16_bits_are_those_of_a_film_of_as_many(tmp_path: Path) -> None:
    """Aperture 20: not one level of 8 bits away from the 8-bit run, but on levels between those."""
    deep = deep_pictures()
    shallow = [np.rint(each / 257.0).astype(np.uint8) for each in deep]
    results = list[list[NDArray[Any]]]()
    for name, pictures in (("deep", deep), ("shallow", shallow)):
        source = write_stills(tmp_path / name, ".png", pictures)
        refocus_video(source, tmp_path / f"{name}_out" / "%d.png", replace(PLANE, aperture=20.0))
        results.append(written(tmp_path / f"{name}_out"))
    for fine, coarse in zip(*results, strict=True):
        assert np.abs(fine / 257.0 - coarse).max() <= 1.5
        assert len(np.unique(fine)) > 4 * len(np.unique(coarse))


@pytest.mark.parametrize("name", ["out/%d.jpg", "out/%d.webp", "out.gif", "out.webp"])
def test_what_holds_8_bits_gets_8_and_says_so(name: str, tmp_path: Path) -> None:
    source = write_stills(tmp_path / "in", ".png", deep_pictures())
    report = refocus_video(source, tmp_path / name, SHARP)
    assert report.notes == ["the input has 16 bits; the output has 8"]
    with open_film(str(tmp_path / "out" if "/" in name else tmp_path / name)) as film:
        first = next(film.frames()).picture
    assert first.dtype == np.uint8
    assert np.abs(first - deep_pictures()[0] / 257.0).mean() < 6


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "hevc"), (".mkv", "hevc"), (".webm", "")])
def test_a_sequence_of_16_bits_becomes_a_film_of_10(ending: str, codec: str, tmp_path: Path) -> None:
    source = write_stills(tmp_path / "in", ".tif", deep_pictures())
    report = refocus_video(source, tmp_path / f"out{ending}", SHARP)
    assert [note for note in report.notes if "bits" in note] == ["the input has 16 bits; the output has 10"]
    with VideoSource(str(tmp_path / f"out{ending}")) as film:
        assert not codec or film.info.codec == codec
        assert film.info.bits == 10
        frames = [frame.picture for frame in film.frames()]
    for got, expected in zip(frames, deep_pictures(), strict=True):
        assert got.dtype == np.uint16
        assert np.abs(got.astype(int) - expected).mean() < 65535 * 0.01


def test_a_film_of_10_bits_becomes_pictures_of_16(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mp4", "libx265", "yuv420p10le", options=X265, frames=FRAMES)
    with VideoSource(str(clip)) as source:
        frames = [frame.picture for frame in source.frames()]
    assert refocus_video(str(clip), tmp_path / "out" / "%d.tif", SHARP).notes == []
    for got, expected in zip(written(tmp_path / "out"), frames, strict=True):
        assert got.dtype == np.uint16
        np.testing.assert_array_equal(got, expected)
    assert refocus_video(str(clip), tmp_path / "views" / "%d.png", replace(SHARP, view="depth")).notes == []
    assert written(tmp_path / "views")[0].dtype == np.uint8


def test_pictures_of_hdr_hold_its_code_values_and_a_gif_its_rendition(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mp4", "libx265", "yuv420p10le", tags=HLG, options=X265, frames=2)
    with VideoSource(str(clip)) as source:
        frame = next(source.frames())
    report = refocus_video(str(clip), tmp_path / "out" / "%d.png", SHARP)
    assert report.notes == ["the input is HDR (hlg); the pictures hold its code values, untagged"]
    np.testing.assert_array_equal(written(tmp_path / "out")[0], frame.picture)
    notes = refocus_video(str(clip), tmp_path / "out.gif", SHARP).notes
    assert notes == [
        "the input has 10 bits; the output has 8",
        "the input is HDR (hlg); the output is its SDR rendition",
    ]
    shown = decode_all(tmp_path / "out.gif")[0].to_ndarray(format="rgb24")
    assert np.abs(shown.astype(int) - frame.picture8).mean() < 6


@pytest.mark.parametrize(("ending", "dtype"), [(".png", np.uint8), (".png", np.uint16), (".webp", np.uint8)])
def test_alpha_of_pictures_is_kept(ending: str, dtype: type[np.uint8 | np.uint16], tmp_path: Path) -> None:
    whole = [draw_deep(index, SIZE_WH) for index in range(FRAMES)]
    whole[1][..., 3] = 65535
    pictures = [each if dtype == np.uint16 else (each >> 8).astype(np.uint8) for each in whole]
    source = write_stills(tmp_path / "in", ending, pictures)
    assert refocus_video(source, tmp_path / "out" / f"%d{ending}", SHARP).notes == []
    for got, expected in zip(written(tmp_path / "out"), pictures, strict=True):
        if got.shape[2] == 3:  # WebP has no alpha where it is opaque
            assert expected[..., 3].min() == 255
            continue
        np.testing.assert_array_equal(got[..., 3], expected[..., 3])
        assert np.abs(got.astype(int) - expected)[expected[..., 3] > 0].mean() < (4 if ending == ".webp" else 1e-9)
    assert written(tmp_path / "out")[0].shape[2] == 4
    lost = refocus_video(source, tmp_path / "jpegs" / "%d.jpg", SHARP).notes
    assert "the input's alpha is not kept: the output has no place for it" in lost


def test_alpha_that_the_first_picture_has_not_is_named(tmp_path: Path) -> None:
    whole = (draw_deep(0, SIZE_WH) >> 8).astype(np.uint8)
    source = write_stills(tmp_path / "in", ".png", [np.ascontiguousarray(whole[..., :3]), whole])
    notes = refocus_video(source, tmp_path / "out" / "%d.png", SHARP).notes
    assert notes == ["alpha of the pictures is not kept: the first of them has none"]


def test_alpha_of_a_webp_animation_goes_into_a_film(tmp_path: Path) -> None:
    frames = [
        StoredFrame(each[..., :3], np.ascontiguousarray(each[..., 3]), Fraction(i, 10), Fraction(1, 10))
        for i, each in enumerate((draw_deep(index, SIZE_WH) >> 8).astype(np.uint8) for index in range(FRAMES))
    ]
    write_animation(tmp_path / "in.webp", frames, tmp_path / "in.webp", 0)
    refocus_video(str(tmp_path / "in.webp"), tmp_path / "out.webm", SHARP)
    with VideoSource(str(tmp_path / "out.webm")) as film:
        alphas = [frame.alpha for frame in film.frames()]
    for alpha, frame in zip(alphas, frames, strict=True):
        assert alpha is not None
        assert frame.alpha is not None
        assert np.abs(alpha.astype(int) - frame.alpha).mean() < 3


def test_a_picture_that_is_to_be_turned_is_read_upright(tmp_path: Path) -> None:
    """Orientation 6 of EXIF: the stored picture is to be turned by a quarter, clockwise."""
    picture, exif = draw(0, SIZE_WH), bytes.fromhex("49492a00080000000100120103000100000006000000" + "00000000")
    done, data = cv2.imencodeWithMetadata(
        ".png", picture[..., ::-1], [cv2.IMAGE_METADATA_EXIF], [np.frombuffer(exif, np.uint8)]
    )
    assert done
    (tmp_path / "a.png").write_bytes(bytes(data))
    got, alpha = read_whole(tmp_path / "a.png", way_to_read(tmp_path / "a.png"))
    np.testing.assert_array_equal(got, np.rot90(picture, -1))
    assert alpha is None


def test_pictures_of_other_bits_than_the_first_and_of_floats_are_refused(tmp_path: Path) -> None:
    deep = deep_pictures()
    source = write_stills(tmp_path / "in", ".png", [deep[0], (deep[1] >> 8).astype(np.uint8)])
    with pytest.raises(InputError, match=r"01\.png: got 64×48 pixels of 8 bits, expected 64×48 pixels of 16 bits"):
        refocus_video(source, tmp_path / "out.mp4", SHARP)
    (tmp_path / "floats").mkdir()
    assert cv2.imwrite(str(tmp_path / "floats" / "0.tif"), (deep[0] / 65535).astype(np.float32))
    refused = run("video", tmp_path / "floats", "-o", tmp_path / "out.mp4", "--engine", "plane")
    assert_one_line(refused, "0.tif: got float32 pixels, expected whole numbers of 8 or 16 bits")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["floats", "in"]
