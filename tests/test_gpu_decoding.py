"""Decoding on a GPU: the same frames, and the CPU's where the GPU cannot. NVDEC is played; FFmpeg's refusal is real."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from av.error import ExternalError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pullfocus.stream import gpu_decoding
from pullfocus.stream.cli import run_cli
from pullfocus.stream.frame import Frame
from pullfocus.stream.gpu_decoding import CardDecoding, CardLostError
from pullfocus.stream.span import DecodeChoice, Reading, Span
from pullfocus.stream.video_in import VideoSource

from .clip import write_clip, write_deep_clip
from .nvdec import PlayedNvdec
from .test_gpu import FakeDriver, absent


def read(path: Path, decode: DecodeChoice, span: Span | None = None) -> tuple[VideoSource, list[Frame]]:
    with VideoSource(str(path), span=span, decode=decode) as source:
        return source, list(source.frames())


def assert_same(path: Path, span: Span | None = None) -> None:
    """Both decoders give the same film: what is said of it, pictures and times."""
    (ours, frames), (theirs, expected) = (read(path, decode, span) for decode in ("cuda", "cpu"))
    assert ours.info == theirs.info
    assert len(frames) == len(expected) > 1
    for frame, other in zip(frames, expected):
        assert (frame.index, frame.pts, frame.duration) == (other.index, other.pts, other.duration)
        np.testing.assert_array_equal(frame.picture, other.picture)
    assert ours.notes == theirs.notes


def test_frames_of_a_gpu_are_the_cpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    turned = write_clip(tmp_path / "turned.mp4", frames=8, rotation=90)
    deep = write_deep_clip(tmp_path / "deep.mkv", "libx265", "yuv420p10le", tags=(9, 16, 9))
    played = PlayedNvdec(monkeypatch)
    for path in (turned, deep):
        assert_same(path)
    assert played.frames == 8 + 5
    assert played.said == []


FAILURES = [
    (ExternalError(542398533, "Generic error in an external library"), "it fails (Generic error"),
    (CardLostError("a frame is damaged"), "a frame is damaged"),
]


@pytest.mark.parametrize("fails_at", [0, 1, 5])
@pytest.mark.parametrize(("failure", "why"), FAILURES)
def test_where_the_gpu_fails_the_rest_is_the_cpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails_at: int, failure: Exception, why: str
) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=9, rotation=180)
    played = PlayedNvdec(monkeypatch, fails_at, failure)
    assert_same(clip)
    after = f", after {fails_at} frames" if fails_at else ""
    assert len(played.said) == 1
    assert played.said[0].startswith(f"--decode cuda: {why}")
    assert played.said[0].endswith(f"{after}; the CPU decodes instead")


@pytest.mark.parametrize(("refused", "frames"), [(["shared"], 5), (["shared", "own"], 0)])
def test_where_the_shared_context_is_refused_nvdec_gets_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: list[str], frames: int
) -> None:
    played = PlayedNvdec(monkeypatch, refused=refused)
    assert_same(write_clip(tmp_path / "in.mp4", frames=5))
    assert played.frames == frames


def test_a_part_that_was_sought_goes_on_where_the_gpu_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=330)
    played = PlayedNvdec(monkeypatch, 60, CardLostError("a packet is damaged"))
    assert_same(clip, Span(Fraction(12), Fraction(129, 10)))
    assert len(played.said) == 1


@pytest.mark.parametrize(
    ("driver", "why"), [(absent, "no NVIDIA driver (libcuda) was found"), (FakeDriver, "it fails (Operation not perm")]
)
def test_without_a_gpu_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], driver: Any, why: str
) -> None:
    """FFmpeg itself is asked where a driver is said to be there, and finds none."""
    real = gpu_decoding.find_gpu

    def found(_driver: Any) -> Any:
        return real(driver)

    def no_context(_driver: Any) -> bool:
        return False

    monkeypatch.setattr(gpu_decoding, "find_gpu", found)
    monkeypatch.setattr(gpu_decoding, "has_context", no_context)
    clip = write_clip(tmp_path / "in.mp4", frames=5, sound=True, rotation=90)
    for decode in ("cuda", "cpu"):
        out = str(tmp_path / f"{decode}.mp4")
        assert run_cli(["video", str(clip), "-o", out, "--engine", "plane", "--decode", decode]) == 0
    said = capfd.readouterr().err
    assert said.count(f"--decode cuda: {why}") == 1
    assert (tmp_path / "cuda.mp4").read_bytes() == (tmp_path / "cpu.mp4").read_bytes()


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"is_hwaccel": False}, "no GPU decodes prores"),
        ({"width": 161}, "odd sizes, got 161×96"),
        ({"alpha": "1"}, "alpha"),
    ],
)
def test_streams_that_no_gpu_decodes_are_known_beforehand(facts: dict[str, Any], why: str) -> None:
    known = {"is_hwaccel": True, "width": 160, "height": 96, "name": "prores", "alpha": "0", **facts}
    stream = SimpleNamespace(codec_context=SimpleNamespace(**known), metadata={"alpha_mode": known["alpha"]})
    with pytest.raises(CardLostError, match=why):
        CardDecoding(True).check(cast(VideoStream, stream))


def test_a_frame_that_the_gpu_did_not_decode_is_told_by_its_layout() -> None:
    with pytest.raises(CardLostError, match="does not decode this stream \\(yuv422p10le\\)"):
        CardDecoding(True).handed_on(VideoFrame(64, 48, "yuv422p10le"))
    assert CardDecoding(True).handed_on(VideoFrame(64, 48, "nv12")).format.name == "yuv420p"


def test_frames_can_stay_on_the_gpu_within_the_context_that_is_there_already() -> None:
    """CuPy's and PyTorch's, where they have begun to work; else FFmpeg makes the one that they will take."""
    for context, options in ((0, {"primary_ctx": "1"}), (99, {"primary_ctx": "0", "current_ctx": "1"})):
        shared, own = CardDecoding(True, driver=lambda now=context: FakeDriver(context=now)).accelerators()
        assert (shared.is_hw_owned, shared.options) == (True, options)
        assert (own.is_hw_owned, own.options) == (False, {})


def test_where_a_film_is_decoded_is_part_of_what_a_job_is() -> None:
    assert repr(Reading(decode="cuda")) != repr(Reading())
