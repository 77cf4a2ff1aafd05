"""Encoders on a GPU: what they are asked for, and what happens where there is none or it is lost. The GPU is played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from av.error import ExternalError
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.errors import InputError
from pullfocus.stream import gpu_encoding
from pullfocus.stream.cli import run_cli
from pullfocus.stream.codecs import ENCODERS, PixelFormat, formats_of
from pullfocus.stream.config import Settings
from pullfocus.stream.encoding import Encoding, choose_encoding
from pullfocus.stream.encoding_wish import EncodingWish
from pullfocus.stream.gpu_encoding import on_cpu, settled
from pullfocus.stream.job_folder import JobFolder
from pullfocus.stream.job_identity import differences
from pullfocus.stream.picture_encoder import PictureEncoder
from pullfocus.stream.state import State
from pullfocus.stream.video_info import VideoInfo
from pullfocus.stream.video_job import refocus_video

from .clip import write_clip
from .probe import decode_all, probe
from .test_encoding import DEEP, FULL_HD_444, PQ, SIZE_HW, info_of
from .test_gpu import FakeDriver, absent


def test_the_wishes_become_nvencs_options() -> None:
    wish = EncodingWish("hevc_nvenc", crf=23.5, preset="p7")
    chosen = choose_encoding("mp4", DEEP, SIZE_HW, wish)
    assert (chosen.codec, chosen.pix_fmt, chosen.tag) == ("hevc_nvenc", "p010le", "hvc1")
    assert chosen.options == {"preset": "p7", "rc": "vbr", "cq": "23.5", "b": "0"}
    at_rate = choose_encoding("mov", info_of(), SIZE_HW, EncodingWish("h264_nvenc", bitrate=8_000_000))
    assert (at_rate.bitrate, at_rate.options) == (8_000_000, {"preset": "p5", "rc": "vbr"})
    assert choose_encoding("matroska", FULL_HD_444, SIZE_HW, EncodingWish("h264_nvenc")).pix_fmt == "yuv444p"
    assert choose_encoding("mp4", info_of(), (97, 161), EncodingWish("h264_nvenc")).pix_fmt == "yuv444p"  # odd sides
    assert "8" in choose_encoding("mp4", DEEP, SIZE_HW, EncodingWish("h264_nvenc")).notes[0]


@pytest.mark.parametrize(
    ("wish", "container", "said"),
    [
        ({"codec": "h264_nvenc", "preset": "fast"}, "mp4", "--preset fast: h264_nvenc has p1, p2, p3, p4, p5, p6, p7"),
        ({"codec": "hevc_nvenc", "crf": 0.0}, "mp4", "--crf: got 0, expected 1 to 51 for hevc_nvenc"),
        ({"codec": "h264_nvenc", "pix_fmt": "p010le"}, "mp4", "--pix-fmt p010le: h264_nvenc takes yuv420p, yuv444p"),
        ({"codec": "h264_nvenc"}, "webm", "--codec h264_nvenc does not go into webm"),
    ],
)
def test_what_nvenc_does_not_take_is_one_line(wish: dict[str, Any], container: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        EncodingWish(**wish).check(container)


def test_no_codec_is_nvenc_unless_it_is_named() -> None:
    assert "nvenc" not in choose_encoding("mp4", DEEP, SIZE_HW).codec
    assert {form.name for form in formats_of("hevc_nvenc")} == {"yuv420p", "yuv444p", "p010le"}
    assert PixelFormat.parse("p010le") == PixelFormat("p010le", 420, 10, False)


@pytest.mark.parametrize(
    ("driver", "why"), [(absent, "no NVIDIA driver"), (FakeDriver, "NVIDIA H100 does not start it")]
)
def test_without_an_encoder_the_cpus_is_taken_and_one_line_says_so(driver: Any, why: str) -> None:
    """FFmpeg's own encoder is asked, which finds no driver here."""
    said = list[str]()
    wish = EncodingWish("hevc_nvenc", crf=21.0, preset="p6", pix_fmt="p010le")
    found = settled(wish, "mp4", replace(DEEP, tags=PQ), SIZE_HW, said.append, driver)
    assert found == EncodingWish("hevc", crf=21.0, pix_fmt="yuv420p10le") == on_cpu(wish)
    assert len(said) == 1
    assert said[0].startswith(f"--codec hevc_nvenc: {why}")
    assert said[0].endswith("hevc on the CPU is used instead")


def test_a_film_is_the_same_as_if_the_cpu_had_been_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=6, sound=True, rotation=90)
    for name, codec in (("gpu", "h264_nvenc"), ("cpu", "h264")):
        out = str(tmp_path / f"{name}.mp4")
        assert run_cli(["video", str(clip), "-o", out, "--engine", "plane", "--codec", codec]) == 0
    assert "note: --codec h264_nvenc: no NVIDIA driver" in capfd.readouterr().err
    ours, theirs = (probe(tmp_path / f"{name}.mp4") for name in ("gpu", "cpu"))
    assert ours == theirs
    assert (tmp_path / "gpu.mp4").read_bytes() == (tmp_path / "cpu.mp4").read_bytes()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An NVENC, played by x264, that starts, and fails at the seventh frame of a film. Gives the frames it has seen."""
    seen, real = list[int](), PictureEncoder.__dict__["_encoded"]
    nvenc = ENCODERS["h264_nvenc"]
    monkeypatch.setitem(ENCODERS, "h264_nvenc", replace(nvenc, name="libx264", options={}, constant="crf",
                                                        quality={"crf": "30"}))  # fmt: skip
    monkeypatch.setattr(gpu_encoding, "_why_not", _starts)
    monkeypatch.setattr("pullfocus.stream.picture_encoder.NVENC_FORMATS", {"libx264": ()})

    def encoded(self: PictureEncoder, frame: Any) -> Any:
        if vars(self)["_encoding"].options.get("crf") == "30":
            seen.append(len(seen))
            if len(seen) == 7:
                self.stream = _Broken()  # pyright: ignore[reportAttributeAccessIssue]
        return real(self, frame)

    monkeypatch.setattr(PictureEncoder, "_encoded", encoded)
    return seen


def _starts(*_: object) -> None:
    return None


def _has_no_driver(*_: object) -> str:
    return "no NVIDIA driver (libcuda) was found"


class _Broken:
    def encode(self, _frame: Any) -> Any:
        raise ExternalError(542398533, "Generic error in an external library")


def test_a_gpu_that_is_lost_in_the_middle_costs_nothing_but_time(
    tmp_path: Path, played: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=12, sound=True)
    plane = Settings(engine=EngineRequest("plane"))
    for name, wish in (("gpu", EncodingWish("h264_nvenc")), ("cpu", EncodingWish("h264"))):
        refocus_video(str(clip), tmp_path / f"{name}.mp4", replace(plane, encoding=wish), segment_frames=4)
    assert len(played) == 7
    said = capfd.readouterr().err
    assert "libx264: Generic error in an external library" in said
    assert "all of it is written again with h264 on the CPU" in said
    assert (tmp_path / "gpu.mp4").read_bytes() == (tmp_path / "cpu.mp4").read_bytes()
    assert len(decode_all(tmp_path / "gpu.mp4")) == 12
    assert not list(tmp_path.glob(".*"))


def test_nvenc_is_tried_with_what_is_written(
    tmp_path: Path, played: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panel, twice as wide and high as the film, in 8 bits; here of a film that stands on its side."""
    played.extend(range(20))  # it does not fail
    tried = list[tuple[int, int]]()

    def noted(_encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int], _driver: Any) -> None:
        assert info.size_hw == size_hw
        tried.append(size_hw)

    monkeypatch.setattr(gpu_encoding, "_why_not", noted)
    clip = write_clip(tmp_path / "in.mp4", frames=2, rotation=90)
    settings = Settings(engine=EngineRequest("plane"), view="panel", encoding=EncodingWish("h264_nvenc"))
    refocus_video(str(clip), tmp_path / "out.mp4", settings)
    assert tried == [(192, 320)]
    assert probe(tmp_path / "out.mp4").size_wh == (320, 192)
    deep = replace(DEEP, tags=PQ)
    assert deep.shown_as("refocus") == deep
    assert (deep.shown_as("depth").bits, deep.shown_as("depth").tags.light) == (8, "srgb")


def test_a_job_does_not_go_on_with_another_encoder(
    tmp_path: Path, played: list[int], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Begun with NVENC, it is gone on with where there is none."""
    played.extend(range(20))  # it does not fail
    clip = write_clip(tmp_path / "in.mp4", frames=4)
    out = tmp_path / "out.mp4"
    identities, begin = list[State](), JobFolder.begin

    def noted(job: JobFolder, identity: State, overwrite: bool) -> None:
        identities.append(identity)
        begin(job, identity, overwrite)

    monkeypatch.setattr(JobFolder, "begin", noted)
    arguments = ["video", str(clip), "-o", str(out), "--engine", "plane", "--codec", "h264_nvenc", "--overwrite"]
    assert run_cli(arguments) == 0
    monkeypatch.setattr(gpu_encoding, "_why_not", _has_no_driver)
    assert run_cli(arguments) == 0
    assert differences(*identities) == ["setting of encoding"]
    assert av.open(str(out)).streams.video[0].codec_context.name == "h264"
