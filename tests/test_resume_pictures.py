"""Jobs that make an animation or numbered pictures go on after a break, and lose nothing that was there before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pullfocus.benchmarks.kills import kill_and_resume
from pullfocus.kernels.errors import InputError, OutputError
from pullfocus.stream import tracks
from pullfocus.stream.report import Report
from pullfocus.stream.results import Results
from pullfocus.stream.stored import StoredFrame
from pullfocus.stream.video_job import refocus_video

from .broken_job import SETTINGS, interrupted_at, names
from .clip import write_clip
from .command import assert_one_line, run
from .probe import decode_all
from .test_films import SIZE_WH, write_pictures

SEGMENT, FRAMES = 6, 15
NAMES = {"gif": "out.gif", "webp": "out.webp", "png": "out/%04d.png"}


def refocus(folder: Path, out: Path, *, resume: bool = False, overwrite: bool = False) -> Report:
    source = str(folder / "in.mp4")
    return refocus_video(source, out, SETTINGS, resume=resume, overwrite=overwrite, segment_frames=SEGMENT)


def content(path: Path) -> dict[str, bytes]:
    """Of a file, or of all in a folder."""
    return {p.name: p.read_bytes() for p in (path.iterdir() if path.is_dir() else [path])}


@dataclass(frozen=True)
class Broken:
    """A folder with in.mp4 and an unfinished job of two whole segments, and what an unbroken run makes of it."""

    folder: Path
    out: Path
    whole: dict[str, bytes]

    @property
    def result(self) -> Path:
        return self.out.parent if self.out.parent != self.folder else self.out

    @property
    def job(self) -> Path:
        return self.folder / f".{self.result.name}.pullfocus"

    def assert_as_unbroken(self) -> None:
        assert content(self.result) == self.whole
        assert names(self.folder) == ["in.mp4", self.result.name]


@pytest.fixture(scope="module", params=list(NAMES))
def broken_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    folder, aside = tmp_path_factory.mktemp("broken"), tmp_path_factory.mktemp("whole")
    write_clip(folder / "in.mp4", frames=FRAMES, size_wh=SIZE_WH)
    refocus(folder, aside / NAMES[request.param])
    made = Broken(folder, folder / NAMES[request.param], content(next(aside.iterdir())))
    with interrupted_at(2), pytest.raises(KeyboardInterrupt) as stop:
        refocus(made.folder, made.out)
    assert "--resume goes on" in stop.value.__notes__[-1]
    assert names(folder) == [made.job.name, "in.mp4"]
    return made


@pytest.fixture
def broken(broken_once: Broken, tmp_path: Path) -> Broken:
    shutil.copytree(broken_once.folder, tmp_path / "work")
    out = tmp_path / "work" / broken_once.out.relative_to(broken_once.folder)
    adopt(tmp_path / "work" / broken_once.job.name, broken_once, tmp_path / "work")
    return Broken(tmp_path / "work", out, broken_once.whole)


def adopt(job: Path, made: Broken, folder: Path) -> None:
    """The job is known by where its files are."""
    told = job / "job.json"
    told.write_text(told.read_text().replace(str(made.folder), str(folder)))


def test_it_goes_on_to_the_same_bytes(broken: Broken) -> None:
    assert len(broken.whole) in (1, FRAMES)
    report = refocus(broken.folder, broken.out, resume=True)
    assert f"went on from frame {2 * SEGMENT}" in report.notes
    assert report.frames == FRAMES - 2 * SEGMENT
    broken.assert_as_unbroken()


def test_what_a_kill_left_half_written_is_in_nobodys_way(broken: Broken) -> None:
    for state in broken.job.glob("[0-9]*.state"):
        state.unlink()  # the kill came while the first was written
    for name in (".000001.0a1b.part.state", ".000001.video.0a1b.part.mkv"):
        (broken.job / name).write_bytes(b"half")
    refocus(broken.folder, broken.out, resume=True)
    broken.assert_as_unbroken()


def test_it_is_refused_unless_asked_for_and_overwrite_starts_anew(broken: Broken) -> None:
    with pytest.raises(InputError, match=f"{broken.result.name} has an unfinished job: --resume goes on with it"):
        refocus(broken.folder, broken.out)
    assert refocus(broken.folder, broken.out, overwrite=True).frames == FRAMES
    broken.assert_as_unbroken()


def test_a_break_while_the_pictures_are_written_costs_only_the_writing(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tracks.stored_frames

    def breaks_off(segments: Sequence[Path], bits: int) -> Iterator[StoredFrame]:
        for number, frame in enumerate(taken(segments, bits)):
            if number == FRAMES // 2:
                raise KeyboardInterrupt
            yield frame

    with monkeypatch.context() as stopped:
        stopped.setattr(tracks, "stored_frames", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            refocus(broken.folder, broken.out, resume=True)
    assert names(broken.folder) == [broken.job.name, "in.mp4"]
    assert refocus(broken.folder, broken.out, resume=True).frames == 0
    broken.assert_as_unbroken()


def full(_: Results) -> None:
    raise OutputError("disk full")


def replaced(tmp_path: Path) -> tuple[Path, Path, dict[str, bytes]]:
    """A folder with in.mp4 and an older out/ of pictures."""
    write_clip(tmp_path / "in.mp4", frames=FRAMES, size_wh=SIZE_WH)
    older = write_pictures(tmp_path / "out", range(1, 4))
    return tmp_path, older / "f%03d.png", content(older)


def test_older_pictures_stay_until_the_new_ones_are_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, pattern, older = replaced(tmp_path)
    with monkeypatch.context() as failing:
        failing.setattr(Results, "deliver", full)
        with pytest.raises(OutputError, match="disk full; what is done is kept"):
            refocus(folder, pattern, overwrite=True)
    assert content(folder / "out") == older
    assert refocus(folder, pattern, resume=True).frames == 0  # it was begun with leave to replace them
    assert len(content(folder / "out")) == FRAMES
    assert names(folder) == ["in.mp4", "out"]


@pytest.mark.parametrize("resume", [True, False])
def test_a_kill_between_two_renames_gives_the_older_pictures_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    folder, pattern, older = replaced(tmp_path)
    before = folder / ".out.pullfocus.before"
    renames = Path.rename

    def dies(self: Path, target: Path) -> Path:
        if target == folder / "out":
            raise SystemExit(9)  # nothing tidies up after a kill
        return renames(self, target)

    with monkeypatch.context() as killed:
        killed.setattr(Path, "rename", dies)
        with pytest.raises(SystemExit):
            refocus(folder, pattern, overwrite=True)
    assert content(before) == older
    assert not (folder / "out").exists()
    if not resume:
        with pytest.raises(InputError, match="unfinished job"):
            refocus(folder, pattern)
        assert content(folder / "out") == older
        assert not before.exists()
    refocus(folder, pattern, resume=True)
    assert len(content(folder / "out")) == FRAMES
    assert names(folder) == ["in.mp4", "out"]


def test_a_sequence_that_was_changed_is_another_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, out = write_pictures(tmp_path / "in", range(1, 9)), tmp_path / "out.gif"
    with monkeypatch.context() as failing:
        failing.setattr(Results, "deliver", full)
        with pytest.raises(OutputError, match="disk full"):
            refocus_video(str(pictures), out, SETTINGS)
    (pictures / "f004.png").write_bytes((pictures / "f005.png").read_bytes())
    with pytest.raises(InputError, match="begun with another pictures"):
        refocus_video(str(pictures), out, SETTINGS, resume=True)


def test_depth_goes_beside_an_animation_but_not_into_the_folder_of_pictures(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=3, size_wh=SIZE_WH)
    refocus_video(str(clip), tmp_path / "out.gif", SETTINGS, depth_out=tmp_path / "depth.mkv")
    assert len(decode_all(tmp_path / "depth.mkv")) == len(decode_all(tmp_path / "out.gif")) == 3
    (tmp_path / "out").mkdir()
    refused = run(
        "video", clip, "-o", tmp_path / "out" / "%d.png", "--depth-out", tmp_path / "out" / "d.mkv", "--engine", "plane"
    )
    assert_one_line(refused, "d.mkv lies in the folder of the numbered pictures")
    assert names(tmp_path / "out") == []


def test_killed_at_random_moments_it_makes_the_same_pictures(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=130, size_wh=SIZE_WH)
    (tmp_path / "work").mkdir()
    result = kill_and_resume(clip, 2, 5, tmp_path / "work", [["--engine", "plane"]], "film/%03d.png")
    assert result.faults == []
    assert result.kills == 2
