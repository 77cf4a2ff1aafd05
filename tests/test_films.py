"""Films that are no video files: sequences of pictures and animations, in and out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.animation_out import plays_of, write_animation
from pullfocus.stream.films import check_film_target, film_target, open_film
from pullfocus.stream.pictures import read_picture
from pullfocus.stream.span import Reading, Span
from pullfocus.stream.stored import StoredFrame
from pullfocus.stream.video_job import refocus_video

from .clip import draw, write_clip
from .command import assert_one_line, run
from .probe import decode_all, probe
from .test_side_streams import PLANE

SIZE_WH = (64, 48)
SHARP = replace(PLANE, aperture=0.0)


def write_pictures(folder: Path, numbers: range, ending: str = "png", digits: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    for index, number in enumerate(numbers):
        assert cv2.imwrite(str(folder / f"f{number:0{digits}d}.{ending}"), draw(index, SIZE_WH)[..., ::-1])
    return folder


def stored(index: int, start_s: Fraction, duration_s: Fraction) -> StoredFrame:
    return StoredFrame(draw(index, SIZE_WH), None, start_s, duration_s)


@pytest.mark.parametrize("name", ["f%03d.png", "*.png", "."])
def test_a_sequence_is_read_in_order_and_written_as_one(name: str, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "in", range(8, 13))
    source = str(folder if name == "." else folder / name)
    refocus_video(source, tmp_path / "out" / "%04d.png", SHARP)
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == [f"{n:04d}.png" for n in range(1, 6)]
    for index, path in enumerate(written):
        np.testing.assert_array_equal(read_picture(path), draw(index, SIZE_WH))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


def test_numbers_sort_as_numbers_and_make_a_film_at_the_rate_asked_for(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "in", range(8, 13), digits=0)
    with open_film(str(folder / "*"), Reading(Span(None, Fraction("0.3")), 12.5)) as film:
        frames = list(film.frames())
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.08, 0.16, 0.24])
    np.testing.assert_array_equal(frames[2].picture, draw(2, SIZE_WH))
    refocus_video(str(folder), tmp_path / "out.mp4", PLANE, reading=Reading(rate=12.5))
    assert probe(tmp_path / "out.mp4").times_s == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])
    assert probe(tmp_path / "out.mp4").end_s == pytest.approx(0.4)


def test_a_broken_sequence_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "in", range(1, 6))
    out = tmp_path / "out.mp4"

    def refused(pattern: str, words: str) -> None:
        with pytest.raises(InputError, match=words):
            refocus_video(str(folder / pattern), out, PLANE)
        assert [p.name for p in tmp_path.iterdir()] == ["in"]

    refused("g%03d.png", "g%03d.png matches no pictures")
    refused("*.tif", "matches no pictures")
    cv2.imwrite(str(folder / "f004.png"), np.zeros((10, 20, 3), np.uint8))
    refused("f%03d.png", r"f004\.png: got 20×10 pixels of 8 bits, expected 64×48 pixels of 8 bits as in .*f001\.png")
    (folder / "f004.png").write_bytes(b"no picture")
    refused("f%03d.png", r"f004\.png: not a readable picture")
    (folder / "f004.png").unlink()
    refused("f%03d.png", r"f004\.png is missing; the pictures go on to f005\.png")


def test_a_sequence_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    folder, pattern = write_pictures(tmp_path / "in", range(1, 6)), tmp_path / "out" / "%02d.jpg"
    whole = (folder / "f004.png").read_bytes()
    (folder / "f004.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"f004\.png: not a readable picture"):
        refocus_video(str(folder), pattern, PLANE)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    (folder / "f004.png").write_bytes(whole)
    refocus_video(str(folder), pattern, PLANE)
    assert sorted(p.name for p in pattern.parent.iterdir()) == [f"0{number}.jpg" for number in range(1, 6)]
    with pytest.raises(InputError, match="not empty; pass --overwrite"):
        check_film_target(pattern, overwrite=False)
    check_film_target(pattern, overwrite=True)
    (pattern.parent / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"holds thesis\.tex"):
        check_film_target(pattern, overwrite=True)


@pytest.mark.parametrize("ending", [".gif", ".webp"])
@pytest.mark.parametrize("plays", [0, 1, 3])
def test_an_animation_keeps_its_times_its_loop_and_its_pictures(ending: str, plays: int, tmp_path: Path) -> None:
    first, second = tmp_path / f"first{ending}", tmp_path / "out"
    starts = [0, 4, 11, 13, 30]
    durations = np.diff([*starts, 37 if ending == ".gif" else 37.5]).tolist()  # WebP's last is as long as the mean
    make_animation(first, starts, plays)
    second.mkdir()
    target = film_target(str(first), second)
    assert target.name == f"first_refocused{ending}"
    refocus_video(str(first), target, SHARP)
    assert plays_of(first) == plays_of(target) == plays
    with open_film(str(first)) as before, open_film(str(target)) as after:
        a, b = list(before.frames()), list(after.frames())
    assert [frame.time_s for frame in b] == pytest.approx([start / 100 for start in starts])
    assert [float(f.duration * f.time_base) * 100 for f in a] == pytest.approx(durations)
    for x, y, index in zip(a, b, range(5), strict=True):
        assert np.abs(x.picture.astype(int) - y.picture).mean() < 3
        assert np.abs(y.picture.astype(int) - draw(index, SIZE_WH)).mean() < 6


def make_animation(path: Path, starts: list[int], plays: int, end: int = 37) -> None:
    """Times in hundredths of a second."""
    unit, ends = Fraction(1, 100), [*starts[1:], end]
    frames = [stored(i, start * unit, (end - start) * unit) for i, (start, end) in enumerate(zip(starts, ends))]
    assert write_animation(path, frames, path, plays) == []


def test_frames_that_a_gif_cannot_count_are_named(tmp_path: Path) -> None:
    frames = [stored(index, Fraction(index, 200), Fraction(1, 200)) for index in range(6)]
    notes = write_animation(tmp_path / "a.gif", frames, tmp_path / "a.gif", 0)
    assert "frames; gif counts 0.01 s" in notes[0]
    assert len(decode_all(tmp_path / "a.gif")) < 6


def test_sound_has_no_place_in_a_gif_and_is_named(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=5, size_wh=SIZE_WH, sound=True)
    notes = refocus_video(str(clip), tmp_path / "out.gif", PLANE).notes
    assert "left out: audio stream 1, gif holds pictures only" in notes
    with av.open(str(tmp_path / "out.gif")) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_the_name_in_a_folder(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "shots", range(1, 2))
    for source, name in (
        ("a.mkv", "a_refocused.mkv"),
        ("a.avi", "a_refocused.mp4"),
        ("A.GIF", "A_refocused.GIF"),
        (str(folder), "shots_refocused.mp4"),
        (str(folder / "f%03d.png"), "shots_refocused.mp4"),
    ):
        assert film_target(source, tmp_path) == tmp_path / name
    assert film_target("a.mkv", tmp_path / "b.mp4") == tmp_path / "b.mp4"


def test_the_command_line_takes_a_sequence_and_refuses_a_rate_for_a_film(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "in", range(1, 4))
    plane = ("--engine", "plane")
    done = run("video", f"{folder}/*.png", "-o", tmp_path, "--rate", "10", "--end", "0.2", *plane)
    assert done.returncode == 0, done.stderr
    assert probe(tmp_path / "in_refocused.mp4").times_s == pytest.approx([0, 0.1])
    assert_one_line(run("video", tmp_path / "in_refocused.mp4", "-o", "x.mp4", "--rate", "9", *plane), "--rate is for")
