"""Whether pictures stay on the card for an encoder there: what decides, the trial, and how their memory is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av.error import FFmpegError
from av.video.frame import VideoFrame
from pullfocus.kernels.cuda import DevicePicture, YuvSystem
from pullfocus.stream.card import ENCODERS_PITCH, DownloadStage, nv12_there
from pullfocus.stream.card_frames import CardFrames
from pullfocus.stream.colour import ColourTags
from pullfocus.stream.config import View
from pullfocus.stream.encoding import choose_encoding
from pullfocus.stream.encoding_wish import EncodingWish
from pullfocus.stream.frame import Frame
from pullfocus.stream.handover import TRIAL_FRAMES, handed_over
from pullfocus.stream.orientation import Orientation
from pullfocus.stream.picture_encoder import PictureEncoder
from pullfocus.stream.video_info import VideoInfo

from .card_films import SETTINGS, SIZE_HW, SYSTEM, Film, stages_of, through
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .nvenc import BROKEN, CODEC, CUDA, HostFrames, LateStream, PlayedNvenc, SaysCuda, SpoilingLauncher
from .parity import photo
from .test_card_nvenc import planes

WISH = EncodingWish(CODEC)
INFO = VideoInfo(SIZE_HW, Fraction(25), Fraction(1, 25), "yuv420p", ColourTags(1, 1, 1))


def nowhere(_device_id: int) -> Any:
    raise AssertionError("nothing is to be handed over")


@pytest.mark.parametrize(
    "info",
    [
        replace(INFO, orientation=Orientation(transpose=True)),
        replace(INFO, bits=10, pix_fmt="yuv420p10le"),
        replace(INFO, tags=ColourTags(9, 16, 9)),
        replace(INFO, tags=ColourTags(1, 1, 7)),
        replace(INFO, pix_fmt="yuv444p"),
        replace(INFO, size_hw=(71, 96)),
    ],
    ids=["turned", "10 bits", "HDR", "SMPTE 240M", "4:4:4", "odd"],
)
def test_what_needs_the_cpu_comes_to_main_memory(card: LateCard, info: VideoInfo) -> None:
    """And nothing is said of it."""
    said = list[str]()
    assert handed_over(WISH, "mp4", info, card, said.append, nowhere) is None
    assert handed_over(EncodingWish("hevc_nvenc"), "mp4", info, card, said.append, nowhere) is None
    assert said == []


def test_only_an_encoder_on_a_gpu_gets_pictures_on_a_card(card: LateCard) -> None:
    assert handed_over(EncodingWish("h264"), "mp4", INFO, card, opened=nowhere) is None
    assert handed_over(WISH, "mp4", INFO, None, opened=nowhere) is None


@pytest.mark.parametrize(
    ("view", "info", "system"),
    [
        ("refocus", replace(INFO, tags=ColourTags(1, 1, 1, True)), YuvSystem("bt709", full_range=True)),
        ("refocus", replace(INFO, tags=ColourTags(), size_hw=(400, 96)), YuvSystem("bt601")),
        (
            "panel",
            replace(INFO, tags=ColourTags(), size_hw=(400, 96)),
            YuvSystem("bt709"),
        ),  # of 800 rows
        ("panel", replace(INFO, size_hw=(71, 95)), YuvSystem("bt709")),
        ("depth", replace(INFO, bits=10, pix_fmt="yuv420p10le", tags=ColourTags(9, 16, 9)), YuvSystem("bt709")),
        (
            "refocus",
            replace(INFO, matrix=(1, 1, 0, -1, 1, 0, 0, 0, 1)),
            YuvSystem("bt709"),
        ),  # its turn is a tag
    ],
)
def test_it_is_decided_by_what_is_written(
    monkeypatch: pytest.MonkeyPatch, card: LateCard, view: View, info: VideoInfo, system: YuvSystem
) -> None:
    PlayedNvenc(monkeypatch)
    found = handed_over(WISH, "mp4", info.shown_as(view), card, opened=lambda _: HostFrames())
    assert found is not None
    assert found.system == system


class OtherPitch(HostFrames):
    """As if the encoder took rows to be as long as the picture is wide."""

    def of(self, picture: DevicePicture) -> VideoFrame:
        self.made += 1
        memory: Any = cast(Any, picture.luma).base.reshape(-1)
        high, wide = picture.shape[:2]
        whole = memory[: high * 3 // 2 * wide].reshape(-1, wide)
        return VideoFrame.from_dlpack((whole[:high], whole[high:]), "nv12")


class Stale(HostFrames):
    """As if it read the first picture every time."""

    _first: VideoFrame | None = None

    def of(self, picture: DevicePicture) -> VideoFrame:
        self._first = self._first or super().of(picture)
        return VideoFrame.from_ndarray(cast(Any, self._first.to_ndarray()), format="nv12")


class OtherForm(HostFrames):
    form = "yuv444p"  # another profile, so other headers


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        (lambda: HostFrames(fails_at=0), f"libx264: {BROKEN}"),
        (lambda: HostFrames(fails_at=TRIAL_FRAMES - 1), f"libx264: {BROKEN}"),
        (OtherPitch, "of 255 off on average"),
        (Stale, "of 255 off on average"),
        (OtherForm, "libx264 writes other headers then"),
        (CardFrames, "libx264: "),  # whose frames no encoder of the CPU takes
    ],
)
def test_it_is_tried_first_and_one_line_says_why_not(
    monkeypatch: pytest.MonkeyPatch, card: LateCard, frames: Callable[[], Any], why: str
) -> None:
    PlayedNvenc(monkeypatch)
    said = list[str]()
    assert handed_over(WISH, "mp4", INFO, card, said.append, lambda _: frames()) is None
    assert len(said) == 1
    assert said[0].startswith("--codec h264_nvenc: pictures reach it through main memory, and not on shim: ")
    assert why in said[0]


def test_ffmpeg_itself_refuses_memory_of_a_gpu_where_there_is_none() -> None:
    """PyAV takes the picture as it is handed over, and asks FFmpeg for the caller's CUDA context."""
    luma, chroma = SaysCuda(np.zeros((64, 96), np.uint8)), SaysCuda(np.zeros((32, 96), np.uint8))
    assert luma.__dlpack_device__()[0] == CUDA
    with pytest.raises(FFmpegError):
        CardFrames().of(DevicePicture(luma, chroma))


class Keeping(PictureEncoder):
    @property
    def held(self) -> int:
        return len(self._held)


class Forgetful(Keeping):
    """Lets go of pictures when FFmpeg may."""

    def encode(self, picture: Any, frame: Frame) -> list[Any]:
        packets = super().encode(picture, frame)
        self._held.clear()
        return packets


def _encoded_late(kind: type[Keeping], folder: Path, path: Path) -> Any:
    """What an encoder that reads late makes of pictures that nobody else keeps."""
    card = LateCard(SpoilingLauncher(folder))
    *before, _ = stages_of(SETTINGS, card)
    stages = [*before, DownloadStage(card, SYSTEM)]
    encoding = choose_encoding("mp4", INFO, SIZE_HW, EncodingWish("h264", crf=0.0))
    with av.open(str(path), "w") as output:
        encoder = kind(output, encoding, INFO, SIZE_HW, HostFrames())
        stream = encoder.stream
        encoder.stream = cast(Any, LateStream(stream))
        for frame in Film(10).frames():
            output.mux(_next_packets(encoder, stages, frame))
        output.mux(encoder.flush())
        assert encoder.held == 0
    return planes(path)[0]


def _next_packets(encoder: PictureEncoder, stages: Any, frame: Frame) -> Any:
    (rendered,) = through(stages, [frame])
    return encoder.encode(rendered.picture, rendered.frame)


def test_a_picture_s_memory_is_no_other_s_before_its_packet_is_there(shim: ShimLauncher, tmp_path: Path) -> None:
    pictures = [each.picture for each in through(stages_of(SETTINGS, LateCard(shim)), Film(10).frames())]
    expected = [np.rint(picture @ SYSTEM.from_rgb()[0, :3] + 16).astype(np.int16) for picture in pictures]
    kept = _encoded_late(Keeping, shim.folder, tmp_path / "kept.mp4")
    assert np.abs(kept - np.stack(expected)).max() <= 1
    spoilt = _encoded_late(Forgetful, shim.folder, tmp_path / "spoilt.mp4")
    assert np.abs(spoilt - np.stack(expected)).mean() > 10, "the test would not see it"


def test_pictures_are_as_an_encoder_on_a_gpu_wants_them(card: LateCard) -> None:
    """One piece of memory, whose chroma is below its luma, in rows as FFmpeg makes them; also of 16 bits."""
    given, both = photo(SIZE_HW), list[Any]()
    for picture in (given, given.astype(np.uint16) * np.uint16(257)):
        with card.compute.queue():
            there: Any = nv12_there(card, card.kernels.launcher.upload(picture), SYSTEM)
        card.compute.mark().wait()
        luma, chroma = np.asarray(there.luma), np.asarray(there.chroma)
        assert luma.strides == chroma.strides == (ENCODERS_PITCH, 1)
        assert chroma.ctypes.data == luma.ctypes.data + SIZE_HW[0] * ENCODERS_PITCH
        both.append(np.vstack((luma, chroma)))
    np.testing.assert_array_equal(*both)
