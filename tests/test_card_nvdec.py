"""A film that is decoded on a card and stays there: the same as the CPU's, whatever comes in between."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from pullfocus.kernels.cuda import DevicePicture, HostYuv, SpentPicture
from pullfocus.kernels.errors import EngineError
from pullfocus.stream.frame import Frame
from pullfocus.stream.gpu_decoding import CardDecoding, CardLostError
from pullfocus.stream.span import DecodeChoice, Reading, Span
from pullfocus.stream.upload import MOST_HELD, UploadStage, place_of
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_job import depth_of_video, refocus_video

from .clip import write_clip, write_deep_clip
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .nvdec import Downloads, PlayedNvdec, Surface
from .test_card_choice import FILM, SEGMENT, Failing, pictures
from .test_damage import write_interlaced

SIZE_WH = (96, 64)


def film_of(path: Path, decode: DecodeChoice = "cuda") -> VideoSource:
    """For a card."""
    film = VideoSource(str(path), decode=decode)
    film.for_card = True
    return film


def on_card(frame: Frame, shim: ShimLauncher) -> Any:
    card = LateCard(shim)
    there = UploadStage(card)(frame)
    place_of(there).ready.wait()
    return there.picture


def test_frames_stay_on_the_card_and_are_what_the_cpu_decodes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shim: ShimLauncher
) -> None:
    path = write_clip(tmp_path / "in.mp4", frames=6, size_wh=SIZE_WH)
    with film_of(path, "cpu") as film:
        cpus, info = list(film.frames()), film.info
    played = PlayedNvdec(monkeypatch, there=True)
    with film_of(path) as film:
        assert film.info == info
        ours = list(film.frames())
    kinds = [type(cast(Any, frame.picture)) for frame in ours]
    assert kinds == [HostYuv, *[DevicePicture] * 5]  # the first was decoded before it was known where pictures are
    for frame, other in zip(ours, cpus, strict=True):
        assert (frame.index, frame.pts, frame.duration) == (other.index, other.pts, other.duration)
        np.testing.assert_array_equal(on_card(frame, shim), on_card(other, shim))
    assert played.stayed == 5


def test_pyav_s_planes_are_handed_on_with_their_shapes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As PyAV itself says them: of a frame in main memory it gives the same as of one on a GPU."""
    PlayedNvdec(monkeypatch, there=True)
    with film_of(write_clip(tmp_path / "in.mp4", frames=2, size_wh=SIZE_WH)) as film:
        picture: Any = list(film.frames())[1].picture
    for plane, real in zip((picture.luma, picture.chroma), VideoFrame(*SIZE_WH, "nv12").planes, strict=True):
        assert plane.shape == np.from_dlpack(plane).shape == np.from_dlpack(real).shape  # pyright: ignore[reportArgumentType]
        assert plane.__dlpack_device__() == real.__dlpack_device__()
        plane.__dlpack__(stream=7)  # as CuPy asks, and PyAV refuses


def _turned(path: Path) -> Path:
    return write_clip(path, frames=4, size_wh=SIZE_WH, rotation=90)


def _deep(path: Path) -> Path:
    return write_deep_clip(path, "libx265", "yuv420p10le")


def _rare(path: Path) -> Path:
    return write_deep_clip(path, "libx264", "yuv420p", tags=(6, 6, 7))  # SMPTE 240M


@pytest.mark.parametrize("write", [_turned, _deep, _rare, write_interlaced])
def test_what_needs_the_cpu_comes_to_main_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path / "in.mkv") if write is not _turned else write(tmp_path / "in.mp4")
    with film_of(path, "cpu") as film:
        cpus = list(film.frames())
    played = PlayedNvdec(monkeypatch, there=True)
    with film_of(path) as film:
        ours = list(film.frames())
    assert played.frames == len(cpus)
    assert played.stayed == 0
    for frame, other in zip(ours, cpus, strict=True):
        np.testing.assert_array_equal(in_main_memory(frame), in_main_memory(other))


def test_after_an_interlaced_frame_none_stays_on_the_card() -> None:
    """The filter that all later ones go through is the CPU's."""
    card = CardDecoding(True, reformatter=cast(VideoReformatter, Downloads()))
    woven, whole = (cast(Any, Surface(VideoFrame(*SIZE_WH, "nv12"))) for _ in range(2))
    woven.interlaced_frame = True
    card.keeps_hw = size_hw = (SIZE_WH[1], SIZE_WH[0])
    assert card.handed_on(whole) is whole
    card.handed_on(woven)
    card.keeps_hw = size_hw
    assert card.handed_on(whole).format.name == "yuv420p"


def in_main_memory(frame: Frame) -> Any:
    given: Any = frame.picture
    return given.rgb() if isinstance(given, HostYuv) else given


def test_a_run_whose_pictures_are_not_on_a_card_gets_all_frames_in_main_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_clip(tmp_path / "in.mp4", frames=4)
    played = PlayedNvdec(monkeypatch, there=True)
    with VideoSource(str(path), decode="cuda") as film, VideoSource(str(path)) as other:
        for ours, theirs in zip(film.frames(), other.frames(), strict=True):
            np.testing.assert_array_equal(ours.picture, theirs.picture)
    assert (played.frames, played.stayed) == (4, 0)


def test_frames_of_another_size_within_the_film_come_to_main_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = [write_clip(tmp_path / f"{wide}.h264", frames=3, size_wh=(wide, 64)) for wide in (96, 128, 96)]
    path = tmp_path / "in.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    played = PlayedNvdec(monkeypatch, there=True)
    with film_of(path) as film:
        kinds = [type(cast(Any, frame.picture)) for frame in film.frames()]
    assert kinds == [HostYuv, *[DevicePicture] * 2, *[np.ndarray] * 3, *[DevicePicture] * 3]
    assert played.frames == 9


def test_a_decoder_s_memory_is_let_go_of_when_the_card_has_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shim: ShimLauncher
) -> None:
    played = PlayedNvdec(monkeypatch, there=True)
    card = LateCard(shim)
    upload, kept = UploadStage(card), list[Frame]()
    with film_of(write_clip(tmp_path / "in.mp4", frames=12, size_wh=SIZE_WH)) as film:
        for frame in film.frames():
            kept.append(upload(frame))
            del frame
            # What the stage holds, and the film's last: the card does nothing unless it is waited for.
            assert len(played.alive) <= MOST_HELD + 2
    assert played.stayed == 11
    places = [place_of(frame) for frame in kept]  # frames on their way through the run hold nothing of the decoder's
    assert [type(cast(Any, place.origin.picture)) for place in places[1:]] == [SpentPicture] * 11
    assert len(played.alive) == MOST_HELD
    for place in places:
        place.ready.wait()
    with film_of(tmp_path / "in.mp4") as film:
        expected = [on_card(frame, shim) for frame in film.frames()]
    for frame, picture in zip(kept, expected, strict=True):
        np.testing.assert_array_equal(frame.picture, picture)


class Films:
    """One film, refocused in several ways. `of` is the bytes of a result: the encoder is the same for all."""

    def __init__(self, folder: Path, frames: int) -> None:
        self.folder, self.source = folder, str(write_clip(folder / "in.mp4", frames=frames, size_wh=SIZE_WH))

    def of(self, name: str, decode: DecodeChoice, span: Span | None = None, **more: Any) -> bytes:
        target = self.folder / f"{name}.mp4"
        reading = Reading(span=span, decode=decode)
        refocus_video(self.source, target, FILM, reading=reading, segment_frames=SEGMENT, **more)
        return target.read_bytes()


@pytest.mark.usefixtures("on_card")
@pytest.mark.parametrize("fails_at", [None, 3])
def test_a_film_is_the_same_whoever_decodes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails_at: int | None
) -> None:
    films = Films(tmp_path, 6)
    expected = films.of("cpu", "cpu")
    played = PlayedNvdec(monkeypatch, fails_at, CardLostError("a packet is damaged"), there=True)
    assert films.of("cuda", "cuda") == expected
    if fails_at is None:
        assert (played.stayed, played.said) == (5, [])
    else:
        assert played.stayed == 2
        assert played.said == ["--decode cuda: a packet is damaged, after 3 frames; the CPU decodes instead"]


@pytest.mark.usefixtures("on_card")
def test_a_part_of_a_film_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    films, span = Films(tmp_path, 10), Span(Fraction(1, 5), Fraction(9, 25))
    expected = films.of("cpu", "cpu", span)
    played = PlayedNvdec(monkeypatch, there=True)
    assert films.of("cuda", "cuda", span) == expected
    assert played.stayed > 0


@pytest.mark.usefixtures("on_card")
def test_a_film_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    films = Films(tmp_path, 7)
    expected = films.of("cpu", "cpu")
    played = PlayedNvdec(monkeypatch, there=True)
    with pytest.raises(EngineError, match="out of GPU memory"):
        films.of("cuda", "cuda", engine=Failing(5))
    stayed = played.stayed
    assert films.of("cuda", "cuda", resume=True) == expected
    assert played.stayed == stayed + 6


@pytest.mark.usefixtures("on_card")
def test_the_depth_of_a_film_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=4, size_wh=SIZE_WH))
    ours, cpus = tmp_path / "ours.mkv", tmp_path / "cpus.mkv"
    depth_of_video(source, cpus, FILM)
    played = PlayedNvdec(monkeypatch, there=True)
    depth_of_video(source, ours, FILM, reading=Reading(decode="cuda"))
    assert played.stayed == 3
    np.testing.assert_array_equal(pictures(ours, "gray16le"), pictures(cpus, "gray16le"))
