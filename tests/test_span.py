"""A part of a film: --start, --end and --preview."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.errors import InputError
from pullfocus.stream import video_in
from pullfocus.stream.config import Settings
from pullfocus.stream.focus_script import from_time_on, read_focus_script
from pullfocus.stream.pictures import read_picture
from pullfocus.stream.preview import preview_frame
from pullfocus.stream.span import Reading, Span, parse_time
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_job import depth_of_video, refocus_video

from .command import run
from .probe import decode_all, probe
from .rich_clip import write_rich_clip
from .test_films import write_pictures
from .test_side_streams import PLANE, contents, sound_times_s


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rich_clip(tmp_path_factory.mktemp("span") / "in.mp4", keys=7)


@pytest.mark.parametrize(
    ("text", "seconds"), [("12.5", "12.5"), ("1:02", "62"), ("01:01:01.250", "3661.25"), (".5", "0.5"), ("90", "90")]
)
def test_times(text: str, seconds: str) -> None:
    assert parse_time("--start", text) == Fraction(seconds)


@pytest.mark.parametrize("text", ["", "x", "-1", "1:60", "1:60:00", "1:2:3:4", "nan", "1e3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--start .*expected seconds"):
        parse_time("--start", text)


def test_a_part_begins_at_zero_with_all_that_belongs_to_it(clip: Path, tmp_path: Path) -> None:
    """Frames at 0.40 … 0.76 s; the first line is shown from 0.2 to 0.6 s, the second from 0.7 to 1.2 s."""
    out = tmp_path / "out.mp4"
    refocus_video(str(clip), out, PLANE, reading=Reading(Span.parse("0.39", "00:00:00.8")))
    result = probe(out)
    np.testing.assert_allclose(result.times_s, np.arange(10) * 0.04, atol=1e-4)
    assert result.end_s == pytest.approx(0.4, abs=0.001)
    kept = contents(out)
    assert kept["lines"] == [(0, 200, "first line"), (300, 100, "second line")]
    assert kept["chapters"] == [("one", 0, 100), ("two", 100, 400)]
    assert kept["metadata"]["title"] == "A film"
    times = np.array(sound_times_s(out))
    whole = np.array(sound_times_s(clip)) - 0.4
    np.testing.assert_allclose(times, whole[(whole >= -0.0214) & (whole < 0.4)], atol=0.0002)


def test_a_part_has_the_frames_of_the_whole(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is reached through the index, from a key frame before it."""
    with VideoSource(str(clip)) as source:
        whole = [frame.picture for frame in source.frames()]
    for seek_from_s in (10, 0):
        monkeypatch.setattr(video_in, "SEEK_FROM_S", seek_from_s)
        monkeypatch.setattr(video_in, "SEEK_MARGIN_S", Fraction(1, 10))
        for first in (9, 20):
            with VideoSource(str(clip), span=Span(Fraction(first, 25), Fraction(first + 4, 25))) as source:
                part = list(source.frames())
            assert [frame.pts * frame.time_base for frame in part] == [Fraction(first + i, 25) for i in range(4)]
            np.testing.assert_array_equal([frame.picture for frame in part], whole[first : first + 4])


def test_the_depth_of_the_whole_film_serves_a_part(clip: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.mkv", tmp_path / "part.mkv"
    span = Span(Fraction("0.4"), Fraction("0.8"))
    frame_by_frame = replace(PLANE, steady=False)
    depth_of_video(str(clip), whole, frame_by_frame)
    depth_of_video(str(clip), part, frame_by_frame, reading=Reading(span))
    settings = Settings(dead_zone=0.0)
    outs = [tmp_path / f"{depth.stem}.mp4" for depth in (whole, part)]
    for depth, out in zip((whole, part), outs, strict=True):
        refocus_video(str(clip), out, settings, depth_in=depth, reading=Reading(span))
    assert outs[0].read_bytes() == outs[1].read_bytes()
    with pytest.raises(InputError, match="ends before frame"):
        refocus_video(str(clip), tmp_path / "x.mp4", settings, depth_in=part, reading=Reading(Span(Fraction(1))))


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("1.2", None, r"--start 1\.2: .*in\.mp4 ends at 1\.200 s"),
        ("2", "1", r"--end 1 s is not after --start 2 s"),
        (None, "0", r"--end 0: .*in\.mp4 begins at 0\.000 s"),
        ("0.41", "0.42", r"--end 0\.42: .* next is at 0\.440 s"),
    ],
)
def test_what_lies_outside_is_refused(
    start: str | None, end: str | None, words: str, clip: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        refocus_video(str(clip), tmp_path / "out.mp4", PLANE, reading=Reading(Span.parse(start, end)))
    assert list(tmp_path.iterdir()) == []


def test_an_end_beyond_the_films_end_is_said(clip: Path, tmp_path: Path) -> None:
    done = run(
        "video", clip, "-o", tmp_path / "out.mp4", "--end", "7", "--engine", "plane", "--json", tmp_path / "r.json"
    )
    assert done.returncode == 0
    assert done.stderr == "note: --end 7: the film ends before it, at 1.200 s\n"
    assert json.loads((tmp_path / "r.json").read_text())["notes"] == [done.stderr.removeprefix("note: ").strip()]
    exact = refocus_video(str(clip), tmp_path / "exact.mp4", PLANE, reading=Reading(Span.parse(None, "1.2")))
    assert exact.notes == []
    write_pictures(tmp_path / "in", range(5))
    for end, notes in (("0.2", []), ("0.21", ["--end 0.21: the film ends before it, at 0.200 s"])):
        reading = Reading(Span.parse("0.1", end))
        out = tmp_path / f"{end}.gif"
        assert refocus_video(str(tmp_path / "in"), out, PLANE, reading=reading).notes == notes
    with pytest.raises(InputError, match=r"--start 0\.2: .*in ends at 0\.200 s"):
        refocus_video(str(tmp_path / "in"), tmp_path / "no.gif", PLANE, reading=Reading(Span.parse("0.2", None)))


def test_a_preview_is_the_frame_of_the_film_in_four_panels(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "preview.png"
    preview_frame(str(clip), out, PLANE, Fraction("0.51"))
    panels = read_picture(out)
    assert panels.shape == (128, 192, 3)
    with VideoSource(str(clip)) as source:
        frames = [frame.picture for frame in source.frames()]
    np.testing.assert_array_equal(panels[20:64, :96], frames[12][20:])  # below the caption; shown from 0.48 s on
    for time_s in ("1.2", "9"):
        with pytest.raises(InputError, match=r"--preview .* ends at 1\.200 s"):
            preview_frame(str(clip), tmp_path / "no.png", PLANE, Fraction(time_s))
    with pytest.raises(InputError, match=r"expected \.png"):
        preview_frame(str(clip), tmp_path / "no.mp4", PLANE, Fraction(0))
    assert list(tmp_path.iterdir()) == [out]


def test_a_script_keeps_the_films_time(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"pull": [{"time": 0, "focus": 0.1}, {"time": 5, "focus": 0.9}]}')
    script = read_focus_script(path)
    assert [entry.start for entry in from_time_on(script, 2.0, 25.0).entries] == [-2.0, 3.0]


def test_the_film_can_begin_after_zero(tmp_path: Path) -> None:
    clip = write_rich_clip(tmp_path / "in.mp4", first=50)
    out = tmp_path / "out.mp4"
    refocus_video(str(clip), out, Settings(engine=EngineRequest("plane")), reading=Reading(Span(Fraction("2.4"))))
    assert len(decode_all(out)) == 20
    assert probe(out).times_s[0] == 0
    assert contents(out)["lines"] == [(0, 200, "first line"), (300, 500, "second line")]
