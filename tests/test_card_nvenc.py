"""Pictures that stay on the card until they are encoded: the same film, and the old way where that does not work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.kernels.errors import EngineError, InputError
from pullfocus.stream.config import Settings, View
from pullfocus.stream.encoding_wish import EncodingWish
from pullfocus.stream.handover import TRIAL_FRAMES
from pullfocus.stream.span import Reading, Span
from pullfocus.stream.video_job import refocus_video

from .clip import write_clip, write_deep_clip
from .nvenc import BROKEN, CODEC, HostFrames, PlayedNvenc
from .probe import decode_all, probe
from .test_card_choice import FILM, SEGMENT, Failing

WISH = EncodingWish(CODEC)
NVENC = replace(FILM, encoding=WISH)


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


@pytest.mark.usefixtures("on_card")
def test_a_film_that_is_gone_on_with_is_that_of_an_unbroken_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=16, size_wh=(96, 64)))
    PlayedNvenc(monkeypatch)
    whole, parted = tmp_path / "whole.mp4", tmp_path / "parted.mp4"
    refocus_video(source, whole, NVENC, segment_frames=SEGMENT)
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, parted, NVENC, segment_frames=SEGMENT, engine=Failing(14))
    assert refocus_video(source, parted, NVENC, segment_frames=SEGMENT, resume=True).before > 0
    assert parted.read_bytes() == whole.read_bytes()


@pytest.mark.usefixtures("on_card")
def test_a_film_goes_on_the_way_it_was_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Begun through main memory it does so, though the trial would do now; the other way round it is refused."""
    source = str(write_clip(tmp_path / "in.mp4", frames=16, size_wh=(96, 64)))
    played = PlayedNvenc(monkeypatch)
    whole, parted, refused = (tmp_path / f"{name}.mp4" for name in ("whole", "parted", "refused"))
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, refused, NVENC, segment_frames=SEGMENT, engine=Failing(14))
    played.make = lambda: HostFrames(fails_at=0)
    with pytest.raises(InputError, match="--resume cannot go on: the job was begun with another way to the encoder"):
        refocus_video(source, refused, NVENC, segment_frames=SEGMENT, resume=True)
    refocus_video(source, whole, NVENC, segment_frames=SEGMENT)
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, parted, NVENC, segment_frames=SEGMENT, engine=Failing(14))
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
    source = str(write_clip(tmp_path / "in.mp4", frames=16, size_wh=(96, 64)))
    played = PlayedNvenc(monkeypatch)
    played.make = lambda: HostFrames(fails_at=TRIAL_FRAMES + 5)
    refocus_video(source, tmp_path / "out.mp4", NVENC, segment_frames=SEGMENT)
    assert played.frames[-1].of_the_film == 5
    assert f"libx264: {BROKEN}; all of it is written again with h264 on the CPU" in capfd.readouterr().err
    cpus = replace(FILM, encoding=EncodingWish("h264"))
    refocus_video(source, tmp_path / "cpu.mp4", cpus, segment_frames=SEGMENT)
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "cpu.mp4").read_bytes()


@pytest.mark.usefixtures("on_card")
def test_alpha_is_said_to_be_lost_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = write_deep_clip(tmp_path / "in.webm", "libvpx-vp9", "yuva420p", tags=(1, 1, 1), size_wh=(96, 64))
    played, notes = both_ways(monkeypatch, source, NVENC)
    assert played.frames[-1].of_the_film == 5
    assert notes == ["the input's alpha is not kept: libx264 in mp4 has no place for it"] * 2
    check_same_film(tmp_path / "there.mp4", tmp_path / "here.mp4")
