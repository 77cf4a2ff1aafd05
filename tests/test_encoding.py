"""What a video is encoded as: by itself, near to its source, and as the user wishes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.cli import run_cli
from pullfocus.stream.codecs import ENCODERS, CodecName, PixelFormat, check_available, formats_of
from pullfocus.stream.colour import ColourTags
from pullfocus.stream.encoding import choose_encoding
from pullfocus.stream.encoding_wish import EncodingWish, parse_bitrate
from pullfocus.stream.video_info import VideoInfo

from .clip import write_clip
from .probe import decode_all, probe

SIZE_HW = (96, 160)
PQ = ColourTags(9, 16, 9)


def info_of(pix_fmt: str = "yuv420p", bits: int = 8, **more: Any) -> VideoInfo:
    return VideoInfo(SIZE_HW, Fraction(25), Fraction(1, 25), pix_fmt, more.pop("tags", ColourTags()), bits, **more)


FULL_HD_444 = info_of("yuv444p")
DEEP = info_of("yuv420p10le", 10)
PRORES_4444 = info_of("yuva444p12le", 12, codec="prores", codec_tag="ap4h", alpha=True)
PRORES_LT = info_of("yuv422p10le", 10, codec="prores", codec_tag="apcs")
VP9_ALPHA = info_of("yuva420p", codec="vp9", alpha=True)


@pytest.mark.parametrize(
    ("container", "info", "expected"),
    [
        ("mp4", info_of(), ("libx264", "yuv420p")),
        ("mp4", info_of("gray"), ("libx264", "yuv420p")),
        ("mp4", info_of("bgra", alpha=True), ("libx264", "yuv420p")),
        ("mov", info_of("yuvj422p"), ("libx264", "yuv422p")),
        ("matroska", FULL_HD_444, ("libx264", "yuv444p")),
        ("mp4", DEEP, ("libx265", "yuv420p10le")),
        ("mov", info_of("yuv422p10le", 10), ("libx265", "yuv422p10le")),
        ("matroska", info_of("yuv444p12le", 12), ("libx265", "yuv444p12le")),
        ("mp4", info_of("yuv420p", tags=PQ), ("libx265", "yuv420p10le")),
        ("webm", info_of(), ("libvpx-vp9", "yuv420p")),
        ("webm", VP9_ALPHA, ("libvpx-vp9", "yuva420p")),
        ("mov", PRORES_4444, ("prores_ks", "yuva444p10le")),
        ("mov", PRORES_LT, ("prores_ks", "yuv422p10le")),
        ("matroska", PRORES_LT, ("prores_ks", "yuv422p10le")),
        ("mp4", PRORES_LT, ("libx265", "yuv422p10le")),
    ],
)
def test_encoding_follows_the_source(container: str, info: VideoInfo, expected: tuple[str, str]) -> None:
    chosen = choose_encoding(container, info, SIZE_HW)
    assert (chosen.codec, chosen.pix_fmt) == expected


def test_ten_bits_in_webm_go_to_an_encoder_that_keeps_them() -> None:
    chosen = choose_encoding("webm", DEEP, SIZE_HW)
    assert chosen.pix_fmt == "yuv420p10le"
    assert chosen.codec in ("libvpx-vp9", "libsvtav1")
    assert not chosen.notes


def test_apples_tag_and_the_profile_of_prores_are_kept() -> None:
    assert choose_encoding("mp4", DEEP, SIZE_HW).tag == "hvc1"
    assert choose_encoding("matroska", DEEP, SIZE_HW).tag is None
    assert choose_encoding("mov", PRORES_4444, SIZE_HW).options["profile"] == "4"
    assert choose_encoding("mov", PRORES_LT, SIZE_HW).options["profile"] == "1"
    assert choose_encoding("mov", info_of(), SIZE_HW, EncodingWish("prores")).options["profile"] == "3"


@pytest.mark.parametrize(
    ("wish", "codec", "pix_fmt", "options"),
    [
        (EncodingWish("hevc", crf=30), "libx265", "yuv420p", {"crf": "30"}),
        (EncodingWish(crf=12.5), "libx264", "yuv420p", {"crf": "12.5"}),
        (EncodingWish(preset="slow"), "libx264", "yuv420p", {"preset": "slow", "crf": "18"}),
        (EncodingWish("vp9", preset="2"), "libvpx-vp9", "yuv420p", {"cpu-used": "2"}),
        (EncodingWish("av1", preset="12"), "libsvtav1", "yuv420p", {"preset": "12"}),
        (EncodingWish(pix_fmt="yuv422p10le"), "libx265", "yuv422p10le", {}),
        (EncodingWish("h264", pix_fmt="yuv420p10le"), "libx264", "yuv420p10le", {}),
        (EncodingWish("prores", preset="lt"), "prores_ks", "yuv422p10le", {"profile": "1"}),
        (EncodingWish("ffv1"), "ffv1", "yuv420p", {}),
    ],
)
def test_wishes_are_met(wish: EncodingWish, codec: str, pix_fmt: str, options: dict[str, str]) -> None:
    chosen = choose_encoding("matroska", info_of(), SIZE_HW, wish)
    assert (chosen.codec, chosen.pix_fmt) == (codec, pix_fmt)
    assert options.items() <= chosen.options.items()


def test_wish_that_prores_cannot_meet_takes_what_can() -> None:
    assert choose_encoding("mov", PRORES_LT, SIZE_HW, EncodingWish(crf=20)).codec == "libx265"


def test_bitrate_takes_the_place_of_constant_quality() -> None:
    chosen = choose_encoding("webm", info_of(), SIZE_HW, EncodingWish(bitrate=500_000))
    assert chosen.bitrate == 500_000
    assert not {"crf", "b"} & chosen.options.keys()


@pytest.mark.parametrize("size_hw", [(121, 161), (121, 160), (120, 161)])
def test_odd_sizes_keep_their_pixels(size_hw: tuple[int, int]) -> None:
    assert choose_encoding("mp4", DEEP, size_hw).pix_fmt == "yuv444p10le"
    assert choose_encoding("webm", info_of(), size_hw).pix_fmt == "yuv420p"
    with pytest.raises(InputError, match="expected a 444 format"):
        choose_encoding("mp4", info_of(), size_hw, EncodingWish(pix_fmt="yuv420p"))


def test_what_is_lost_is_said() -> None:
    assert choose_encoding("mp4", DEEP, SIZE_HW, EncodingWish(pix_fmt="yuv420p")).notes == (
        "the input has 10 bits; the output has 8",
    )


@pytest.mark.parametrize(("text", "bits"), [("8M", 8_000_000), ("800k", 800_000), ("1.5m", 1_500_000), ("9000", 9000)])
def test_bitrates_are_read_with_their_unit(text: str, bits: int) -> None:
    assert parse_bitrate(text) == bits


@pytest.mark.parametrize(
    ("out", "options", "words"),
    [
        ("out.mp4", ("--crf", "20", "--bitrate", "8M"), "got --crf and --bitrate, expected one"),
        ("out.mp4", ("--crf", "70"), "--crf: got 70, expected 0 to 51 for h264"),
        (
            "out.mp4",
            ("--codec", "prores"),
            "--codec prores does not go into mp4; expected h264, hevc, av1, vp9, h264_nvenc, hevc_nvenc",
        ),
        ("out.webm", ("--codec", "h264"), "--codec h264 does not go into webm; expected av1, vp9"),
        ("out.mov", ("--codec", "prores", "--crf", "9"), "--crf 9: prores has no constant quality"),
        ("out.mkv", ("--codec", "ffv1", "--bitrate", "8M"), "--bitrate 8000000: ffv1 has no bitrate"),
        ("out.webm", ("--preset", "slow"), "--preset slow: vp9 has 0, 1,"),
        ("out.mkv", ("--codec", "ffv1", "--preset", "fast"), "--preset fast: ffv1 has none"),
        ("out.mp4", ("--pix-fmt", "rgb24"), "--pix-fmt rgb24: h264 takes yuv420p,"),
        ("out.mov", ("--codec", "prores", "--pix-fmt", "yuv420p"), "--pix-fmt yuv420p: prores takes yuv422p10le"),
        ("out.mp4", ("--bitrate", "lots"), "--bitrate lots: expected bits a second"),
        ("out.mp4", ("--bitrate", "9"), "--bitrate 9: expected bits a second"),
        ("out.mp4", ("--codec", "theora"), "'theora'"),
        (
            "out.gif",
            ("--crf", "20"),
            "--crf: {out} is a GIF, which is always written with 256 colours a frame; ",
        ),
        ("out.webp", ("--codec", "vp9", "--preset", "4"), "--codec, --preset: {out} is an animated WebP"),
        (
            "p/%05d.png",
            ("--pix-fmt", "rgb24"),
            "--pix-fmt: {out} is numbered pictures, which are written",
        ),
        ("p/%05d.jpg", ("--bitrate", "8M"), "or name a video (.mp4,"),
        ("out.png", ("--preview", "1", "--crf", "20"), "as a PNG; --crf: leave it out"),
    ],
)
def test_impossible_wishes_are_one_line_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, out: str, options: tuple[str, ...], words: str
) -> None:
    missing = str(tmp_path / "missing.mp4")
    assert run_cli(["video", missing, "-o", str(tmp_path / out), *options]) == 2
    message = capsys.readouterr().err
    assert words.format(out=tmp_path / out) in message
    assert message.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_codec_that_this_ffmpeg_lacks_is_told_with_those_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENCODERS, "av1", ENCODERS["h264"].__class__("libnothing", ("mp4",), (0, 63), ()))
    formats_of.cache_clear()
    try:
        with pytest.raises(InputError, match="this FFmpeg has no libnothing; it has encoders for h264, hevc, vp9"):
            check_available("av1")
    finally:
        formats_of.cache_clear()


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "prores", "ffv1"])
def test_every_codec_is_written_in_each_of_its_containers(codec: CodecName, tmp_path: Path) -> None:
    """What the table of encoders says goes where, does."""
    clip = write_clip(tmp_path / "in.mp4", frames=3)
    endings = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm"}
    for container in ENCODERS[codec].containers:
        out = tmp_path / f"out{endings[container]}"
        assert run_cli(["video", str(clip), "-o", str(out), "--engine", "plane", "--codec", codec, "--overwrite"]) == 0
        assert len(decode_all(out)) == 3
        assert probe(out).size_wh == (160, 96)
        with av.open(str(out)) as written:
            assert written.streams.video[0].codec_context.name == {"av1": "libdav1d"}.get(codec, codec)


def test_formats_without_their_name_are_not_taken() -> None:
    assert PixelFormat.parse("yuva444p12le") == PixelFormat("yuva444p12le", 444, 12, True)
    assert PixelFormat.parse("gray10le") == PixelFormat("gray10le", 0, 10, False)
    assert PixelFormat.parse("nv12") is None
    assert PixelFormat.parse("yuvj420p") is None
