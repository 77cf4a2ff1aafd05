"""Films that are no video files: sequences of pictures and animations, in and out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError, OutputError
from pullfocus.stream.animation_out import animation_sink, plays_of
from pullfocus.stream.colour import ColourTags
from pullfocus.stream.films import check_film_target, film_target, open_film
from pullfocus.stream.frame import FocusPlan, Frame, Layered, Rendered, Sensed
from pullfocus.stream.pictures import read_picture
from pullfocus.stream.span import Reading, Span
from pullfocus.stream.stills_out import sequence_sink
from pullfocus.stream.video_info import VideoInfo
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


def rendered(picture: np.ndarray, index: int, pts: int, unit: Fraction, duration: int = 1) -> Rendered:
    frame = Frame(picture, index, pts, unit, duration)
    depth = np.zeros(picture.shape[:2], np.float32)
    return Rendered(Layered(Sensed(frame, depth), np.zeros(2), FocusPlan(0.0, 0.0, 0.0)), picture)


def info(unit: Fraction) -> VideoInfo:
    return VideoInfo((SIZE_WH[1], SIZE_WH[0]), Fraction(25), unit, "rgb24", ColourTags())


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
    refused("f%03d.png", r"f004\.png: got 20×10 pixels, expected 64×48 as in .*f001\.png")
    (folder / "f004.png").write_bytes(b"no picture")
    refused("f%03d.png", r"f004\.png: not a readable picture")
    (folder / "f004.png").unlink()
    refused("f%03d.png", r"f004\.png is missing; the pictures go on to f005\.png")


def test_a_sequence_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    pattern = tmp_path / "out" / "%02d.jpg"
    picture = draw(0, SIZE_WH)

    def fail(error: Exception | None) -> None:
        with sequence_sink(pattern, info(Fraction(1, 25))) as sink:
            sink.write(rendered(picture, 0, 0, Fraction(1, 25)))
            assert not pattern.parent.exists()
            if error is not None:
                raise error

    with pytest.raises(ValueError, match="broken"):
        fail(ValueError("broken"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="no frame"), sequence_sink(pattern, info(Fraction(1, 25))):
        pass
    fail(None)
    assert [p.name for p in pattern.parent.iterdir()] == ["01.jpg"]
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


def make_animation(path: Path, starts: list[int], plays: int) -> None:
    """Through the sink, as a film of hundredths of a second."""
    unit = Fraction(1, 100)
    source = path.with_name("source.gif")  # says how often
    extension = b"" if plays == 1 else b"NETSCAPE2.0\x03\x01" + max(plays - 1, 0).to_bytes(2, "little")
    source.write_bytes(b"GIF89a" + extension)
    with animation_sink(path, info(unit), loop_from=str(source)) as sink:
        for index, (start, end) in enumerate(zip(starts, [*starts[1:], 37])):
            sink.write(rendered(draw(index, SIZE_WH), index, start, unit, end - start))
    source.unlink()


def test_frames_that_a_gif_cannot_count_are_named(tmp_path: Path) -> None:
    with animation_sink(tmp_path / "a.gif", info(Fraction(1, 200))) as sink:
        for index in range(6):
            sink.write(rendered(draw(index, SIZE_WH), index, index, Fraction(1, 200)))
        assert "frames; gif counts 0.01 s" in sink.notes[0]
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
