"""More than 8 bits, HDR and alpha, from one file to another: nothing of them may be lost on the way."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec import CodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from pullfocus.engines.build import EngineRequest
from pullfocus.stream.colour import ColourTags
from pullfocus.stream.config import Settings
from pullfocus.stream.hdr import HdrMetadata, Mastering
from pullfocus.stream.report import Report
from pullfocus.stream.targets import Fixed
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_job import refocus_video

from .clip import write_deep_clip
from .test_media import MEDIA, require_media

X265 = {"crf": "8", "preset": "ultrafast", "x265-params": "log-level=none:bframes=0"}
PQ, HLG = (9, 16, 9), (9, 18, 9)
DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"


def refocused(clip: Path, out: Path, aperture: float = 0.0, **more: str) -> Report:
    settings = Settings(aperture=aperture, focus=Fixed(1.0), engine=EngineRequest("plane"), **more)  # pyright: ignore[reportArgumentType]
    return refocus_video(str(clip), out, settings)


def decoded(path: Path) -> list[VideoFrame]:
    """With alpha where there is some."""
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[0]
        decoder = CodecContext.create("libvpx-vp9", "r") if stream.metadata.get("alpha_mode") else stream.codec_context
        return [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]  # pyright: ignore


def planes(frame: VideoFrame) -> list[NDArray[np.float64]]:
    """Each plane as it is stored."""
    dtype = np.uint16 if frame.format.name.endswith("le") else np.uint8
    return [
        np.frombuffer(bytes(plane), dtype).reshape(plane.height, -1)[:, : plane.width].astype(np.float64)
        for plane in frame.planes
    ]


def psnr_db(a: VideoFrame, b: VideoFrame) -> float:
    """Of the worst plane, at the bits that the format has."""
    assert a.format.name == b.format.name
    peak = 2.0 ** a.format.components[0].bits - 1.0
    errors = [np.mean((x - y) ** 2) for x, y in zip(planes(a), planes(b), strict=True)]
    return float(10.0 * np.log10(peak**2 / max(*errors, 1e-9)))


def assert_nothing_is_lost(source: list[VideoFrame], result: list[VideoFrame], least_db: float = 40.0) -> None:
    assert len(result) == len(source)
    for index in (0, len(source) // 2, len(source) - 1):
        assert psnr_db(source[index], result[index]) > least_db
    levels = [len(np.unique(planes(frames[0])[0])) for frames in (source, result)]
    assert levels[1] > max(256, 0.9 * levels[0])
    tags = [(f.color_primaries, f.color_trc, f.colorspace, f.color_range) for f in (source[0], result[0])]
    assert tags[0] == tags[1]


@pytest.mark.parametrize("tags", [(2, 2, 2), (1, 1, 1), PQ, HLG])
@pytest.mark.parametrize(("pix_fmt", "ending"), [("yuv420p10le", ".mp4"), ("yuv422p10le", ".mkv")])
def test_ten_bits_stay_ten_bits(tmp_path: Path, pix_fmt: str, ending: str, tags: tuple[int, int, int]) -> None:
    clip = write_deep_clip(tmp_path / f"in{ending}", "libx265", pix_fmt, tags=tags, options=X265)
    out = tmp_path / f"out{ending}"
    report = refocused(clip, out)
    assert_nothing_is_lost(decoded(clip), decoded(out))
    assert not report.notes


def test_same_bytes_every_time(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mkv", "libx265", "yuv420p10le", options=X265, frames=30)
    outs = [tmp_path / f"{name}.mp4" for name in "ab"]
    for out in outs:
        refocused(clip, out, aperture=5.0)
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_blur_of_ten_bits_has_no_steps_of_eight(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mkv", "ffv1", "yuv444p10le")
    out = tmp_path / "out.mkv"
    refocused(clip, out, aperture=20.0)
    assert len(np.unique(planes(decoded(out)[2])[0])) > 400


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".webm"])
def test_static_metadata_of_hdr_is_kept(tmp_path: Path, ending: str) -> None:
    params = f"log-level=none:master-display={DISPLAY}:max-cll=987,123"
    options = X265 | {"x265-params": params}
    clip = write_deep_clip(tmp_path / "in.mkv", "libx265", "yuv420p10le", tags=PQ, options=options)
    out = tmp_path / f"out{ending}"
    refocused(clip, out)
    source, result = (HdrMetadata.of(decoded(path)[0]) for path in (clip, out))
    assert source.content == result.content == (987, 123)
    assert source.mastering is not None
    assert result.mastering is not None
    assert source.mastering.green == (Fraction(13250, 50000), Fraction(34500, 50000))
    assert source.mastering.greatest == 1000
    for name in Mastering.__slots__:
        expected, got = (np.array(getattr(m, name), float) for m in (source.mastering, result.mastering))
        np.testing.assert_allclose(got, expected, atol=2e-4)


def test_views_of_hdr_are_sdr(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mkv", "libx265", "yuv420p10le", tags=PQ, options=X265)
    out = tmp_path / "out.mp4"
    refocused(clip, out, view="side")
    frame = decoded(out)[0]
    assert (frame.format.name, frame.width) == ("yuv420p", 320)
    assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (1, 1, 1)


def test_depth_of_hdr_is_that_of_its_rendition(tmp_path: Path) -> None:
    """What looks at a frame of HDR sees 8 bits of BT.709, once computed."""
    clip = write_deep_clip(tmp_path / "in.mkv", "libx265", "yuv420p10le", tags=PQ, options=X265)
    with VideoSource(str(clip)) as source:
        frame = next(source.frames())
    assert (frame.picture.dtype, frame.transfer) == (np.uint16, "pq")
    assert frame.picture8.dtype == np.uint8
    assert frame.picture8 is frame.picture8
    assert source.info.tags == ColourTags(*PQ)


def test_alpha_of_prores_is_kept(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mov", "prores_ks", "yuva444p10le", options={"profile": "4"}, opaque=3)
    out = tmp_path / "out.mov"
    refocused(clip, out, aperture=4.0)
    source, result = decoded(clip), decoded(out)
    assert result[0].format.name == source[0].format.name == "yuva444p12le"
    for a, b in zip(source, result, strict=True):
        np.testing.assert_allclose(planes(b)[3], planes(a)[3], atol=4.0)  # a level of 10 bits
    assert planes(result[3])[3].min() >= 4092


def test_alpha_of_vp9_is_kept(tmp_path: Path) -> None:
    options = {"crf": "10", "b": "0", "auto-alt-ref": "0", "deadline": "realtime", "cpu-used": "6"}
    clip = write_deep_clip(tmp_path / "in.webm", "libvpx-vp9", "yuva420p", options=options)
    out = tmp_path / "out.webm"
    report = refocused(clip, out)
    assert psnr_db(decoded(clip)[2], decoded(out)[2]) > 38.0
    assert np.ptp(planes(decoded(out)[2])[3]) > 250
    assert not report.notes


def test_alpha_without_a_place_is_said_once(tmp_path: Path) -> None:
    clip = write_deep_clip(tmp_path / "in.mov", "prores_ks", "yuva444p10le", options={"profile": "4"}, opaque=3)
    report = refocused(clip, tmp_path / "out.mp4")
    assert report.notes == ["the input's alpha is not kept: libx265 in mp4 has no place for it"]


REAL = {
    "androidx__dolbyVision-hdr.MOV": ".mov",
    "androidx__roadtrip-vp92-10bit.webm": ".webm",
    "hevc_main10.mp4": ".mp4",
    "prores4444_alpha.mov": ".mov",
}


@pytest.mark.media
@pytest.mark.parametrize("name", REAL)
def test_real_films_of_more_than_8_bits_lose_nothing(name: str, tmp_path: Path) -> None:
    require_media()
    clip = next(MEDIA.rglob(name))
    out = tmp_path / f"out{REAL[name]}"
    refocused(clip, out)
    assert_nothing_is_lost(decoded(clip), decoded(out))


@pytest.mark.media
def test_alpha_of_a_real_film_is_kept(tmp_path: Path) -> None:
    require_media()
    clip = next(MEDIA.rglob("alpha_vp9.webm"))
    refocused(clip, tmp_path / "out.webm")
    source, result = decoded(clip), decoded(tmp_path / "out.webm")
    assert len(source) == len(result)
    assert np.abs(planes(source[7])[3] - planes(result[7])[3]).mean() < 1.0
    assert np.ptp(planes(result[7])[3]) > 200
