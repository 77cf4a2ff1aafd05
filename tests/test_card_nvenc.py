"""Pictures that stay on the card until they are encoded: the same film, and the old way where that does not work."""

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
from pullfocus.kernels.errors import EngineError, InputError
from pullfocus.stream.card import ENCODERS_PITCH, DownloadStage, nv12_there
from pullfocus.stream.card_frames import CardFrames
from pullfocus.stream.colour import ColourTags
from pullfocus.stream.config import Settings, View
from pullfocus.stream.encoding import choose_encoding
from pullfocus.stream.encoding_wish import EncodingWish
from pullfocus.stream.frame import Frame
from pullfocus.stream.handover import TRIAL_FRAMES, handed_over
from pullfocus.stream.orientation import Orientation
from pullfocus.stream.picture_encoder import PictureEncoder
from pullfocus.stream.span import Reading, Span
from pullfocus.stream.video_info import VideoInfo
from pullfocus.stream.video_job import refocus_video

from .card_films import SETTINGS, SIZE_HW, SYSTEM, Film, stages_of, through
from .clip import write_clip, write_deep_clip
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .nvenc import CODEC, CUDA, HostFrames, LateStream, PlayedNvenc, SaysCuda, SpoilingLauncher
from .parity import photo
from .probe import decode_all, probe
from .test_card_choice import FILM, SEGMENT, Failing

WISH = EncodingWish(CODEC)
NVENC = replace(FILM, encoding=WISH)
INFO = VideoInfo(SIZE_HW, Fraction(25), Fraction(1, 25), "yuv420p", ColourTags(1, 1, 1))
BROKEN = "Generic error in an external library"


def nowhere(_device_id: int) -> Any:
    raise AssertionError("nothing is to be handed over")


def planes(path: Path) -> tuple[Any, Any]:
    """Luma and chroma of all frames, of which the last is the one that is shown last."""
    whole = np.stack([cast(Any, frame.to_ndarray()) for frame in decode_all(path)]).astype(np.int16)
    high = whole.shape[1] * 2 // 3
    return whole[:, :high], whole[:, high:]


def check_same_film(ours: Path, others: Path) -> None:
    """As far as the card and the CPU round alike. The CPU takes chroma a quarter of a pixel further to the right."""
    assert probe(ours) == probe(others)
    (luma, chroma), (their_luma, their_chroma) = planes(ours), planes(others)
    assert np.abs(luma - their_luma).max() <= 1
    apart = np.abs(chroma - their_chroma)
    assert apart.mean() <= 1.0
    assert np.percentile(apart, 90) <= 2


def both_ways(
    monkeypatch: pytest.MonkeyPatch, source: Path, settings: Settings, **more: Any
) -> tuple[PlayedNvenc, list[str]]:
    """The film `here.mp4`, whose pictures come to main memory, and `there.mp4`; returns the notes of both."""
    how: dict[str, Any] = {"segment_frames": SEGMENT, **more}
    with monkeypatch.context() as patch:
        PlayedNvenc(patch, lossless=True).make = lambda: HostFrames(fails_at=0)
        here = refocus_video(str(source), source.with_name("here.mp4"), settings, **how)
    played = PlayedNvenc(monkeypatch, lossless=True)
    there = refocus_video(str(source), source.with_name("there.mp4"), settings, **how)
    return played, [*here.notes, *there.notes]


def _tagged(path: Path) -> Path:
    return write_deep_clip(path, "libx264", "yuv420p", tags=(6, 6, 6), size_wh=(96, 64))


def _plain(path: Path) -> Path:
    return write_clip(path, frames=5, size_wh=(96, 64), sound=True)


@pytest.mark.usefixtures("on_card")
@pytest.mark.parametrize("view", ["refocus", "side", "panel"])
@pytest.mark.parametrize("write", [_plain, _tagged])
def test_the_film_is_that_of_main_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write: Callable[[Path], Path], view: View
) -> None:
    """In several segments: times, colour tags, sound and packets included."""
    played, notes = both_ways(monkeypatch, write(tmp_path / "in.mp4"), replace(NVENC, view=view))
    assert [frames.of_the_film for frames in played.frames] == [5]
    assert (played.said, notes) == ([], [])
    check_same_film(tmp_path / "there.mp4", tmp_path / "here.mp4")


@pytest.mark.usefixtures("on_card")
def test_a_part_of_a_film_keeps_its_times_and_its_depth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=10, size_wh=(96, 64), sound=True)
    reading, depth = Reading(Span(Fraction(1, 5), Fraction(9, 25))), tmp_path / "depth.mkv"
    both_ways(monkeypatch, source, NVENC, reading=reading)
    check_same_film(tmp_path / "there.mp4", tmp_path / "here.mp4")
    refocus_video(str(source), tmp_path / "again.mp4", NVENC, reading=reading, depth_out=depth)
    assert len(decode_all(depth)) == len(decode_all(tmp_path / "here.mp4")) == 4


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
    """As if it read the picture before."""

    _before: VideoFrame | None = None

    def of(self, picture: DevicePicture) -> VideoFrame:
        now, self._before = super().of(picture), super().of(picture)
        self._first = getattr(self, "_first", now)
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


@pytest.mark.usefixtures("on_card")
def test_where_it_fails_the_film_is_that_of_main_memory_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=4, size_wh=(96, 64))
    played = PlayedNvenc(monkeypatch)
    played.make = lambda: HostFrames(fails_at=0)
    refocus_video(str(source), tmp_path / "out.mp4", NVENC)
    assert len(played.said) == 1
    refocus_video(str(source), tmp_path / "cpu.mp4", replace(FILM, encoding=EncodingWish("h264")))
    assert probe(tmp_path / "out.mp4") == probe(tmp_path / "cpu.mp4")


def test_ffmpeg_itself_refuses_memory_of_a_gpu_where_there_is_none() -> None:
    """PyAV takes the picture as it is handed over, and asks FFmpeg for the caller's CUDA context."""
    luma, chroma = SaysCuda(np.zeros((64, 96), np.uint8)), SaysCuda(np.zeros((32, 96), np.uint8))
    assert luma.__dlpack_device__()[0] == CUDA
    with pytest.raises(FFmpegError):
        CardFrames().of(DevicePicture(luma, chroma))


@pytest.mark.usefixtures("on_card")
def test_a_film_that_is_gone_on_with_is_that_of_an_unbroken_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=8, size_wh=(96, 64)))
    PlayedNvenc(monkeypatch)
    whole, parted = tmp_path / "whole.mp4", tmp_path / "parted.mp4"
    refocus_video(source, whole, NVENC, segment_frames=SEGMENT)
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, parted, NVENC, segment_frames=SEGMENT, engine=Failing(7))
    assert refocus_video(source, parted, NVENC, segment_frames=SEGMENT, resume=True).before > 0
    assert parted.read_bytes() == whole.read_bytes()


@pytest.mark.usefixtures("on_card")
def test_a_film_goes_on_the_way_it_was_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begun through main memory it does so, though the trial would do now; the other way round it is refused."""
    source = str(write_clip(tmp_path / "in.mp4", frames=8, size_wh=(96, 64)))
    played = PlayedNvenc(monkeypatch)
    whole, parted, refused = (tmp_path / f"{name}.mp4" for name in ("whole", "parted", "refused"))
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, refused, NVENC, segment_frames=SEGMENT, engine=Failing(7))
    played.make = lambda: HostFrames(fails_at=0)
    with pytest.raises(InputError, match="--resume cannot go on: the job was begun with another way to the encoder"):
        refocus_video(source, refused, NVENC, segment_frames=SEGMENT, resume=True)
    refocus_video(source, whole, NVENC, segment_frames=SEGMENT)
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, parted, NVENC, segment_frames=SEGMENT, engine=Failing(7))
    played.make = HostFrames
    tried = len(played.frames)
    assert refocus_video(source, parted, NVENC, segment_frames=SEGMENT, resume=True).before > 0
    assert len(played.frames) == tried
    assert parted.read_bytes() == whole.read_bytes()
    refocus_video(source, refused, NVENC, segment_frames=SEGMENT, resume=True)  # where it works again
    assert played.frames[-1].of_the_film > 0


@pytest.mark.usefixtures("on_card")
def test_an_encoder_that_is_lost_in_the_middle_costs_nothing_but_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=8, size_wh=(96, 64)))
    played = PlayedNvenc(monkeypatch)
    played.make = lambda: HostFrames(fails_at=TRIAL_FRAMES + 5)
    refocus_video(source, tmp_path / "out.mp4", NVENC, segment_frames=SEGMENT)
    assert played.frames[-1].of_the_film == 5
    assert f"libx264: {BROKEN}; all of it is written again with h264 on the CPU" in capfd.readouterr().err
    cpus = replace(FILM, encoding=EncodingWish("h264"))
    refocus_video(source, tmp_path / "cpu.mp4", cpus, segment_frames=SEGMENT)
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "cpu.mp4").read_bytes()


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


@pytest.mark.usefixtures("on_card")
def test_alpha_is_said_to_be_lost_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = write_deep_clip(tmp_path / "in.webm", "libvpx-vp9", "yuva420p", tags=(1, 1, 1), size_wh=(96, 64))
    played, notes = both_ways(monkeypatch, source, NVENC)
    assert played.frames[-1].of_the_film == 5
    assert notes == ["the input's alpha is not kept: libx264 in mp4 has no place for it"] * 2
    check_same_film(tmp_path / "there.mp4", tmp_path / "here.mp4")
