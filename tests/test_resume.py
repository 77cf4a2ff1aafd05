"""A job that was broken off goes on where it was, and makes what it would have made without a break."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines.locks import lock
from pullfocus.kernels.errors import InputError
from pullfocus.stream.job_folder import JobFolder
from pullfocus.stream.job_opening import open_job
from pullfocus.stream.video_job import depth_of_video

from .broken_job import (
    FRAMES,
    SEGMENT,
    SETTINGS,
    SIZE_WH,
    Broken,
    frames_of,
    interrupted_at,
    names,
    refocus,
    run_job,
)
from .clip import write_clip
from .command import assert_one_line, run, wait_for
from .probe import probe


@pytest.fixture(scope="module")
def broken_once(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    made = Broken(tmp_path_factory.mktemp("broken"), tmp_path_factory.mktemp("whole"))
    write_clip(made.folder / "in.mp4", frames=FRAMES, size_wh=SIZE_WH, sound=True)
    refocus(made.folder, made.whole / "out.mp4")
    with interrupted_at(2), pytest.raises(KeyboardInterrupt) as stop:
        refocus(made.folder, made.out)
    assert "--resume goes on" in stop.value.__notes__[-1]
    shutil.copytree(made.job, made.whole / "job")
    return made


@pytest.fixture
def broken(broken_once: Broken) -> Iterator[Broken]:
    shutil.rmtree(broken_once.job, ignore_errors=True)
    shutil.copytree(broken_once.whole / "job", broken_once.job)
    yield broken_once
    for name in ("out.mp4", "depth.mkv"):
        (broken_once.folder / name).unlink(missing_ok=True)


def _nothing(_: JobFolder) -> None:
    """Does nothing."""


def test_it_goes_on_from_the_last_whole_segment(broken: Broken) -> None:
    assert broken.resume() == [f"went on from frame {2 * SEGMENT}"]
    broken.assert_as_unbroken()
    assert probe(broken.out).times_s == probe(broken.folder / "in.mp4").times_s
    assert probe(broken.out).sound == probe(broken.folder / "in.mp4").sound


@pytest.mark.parametrize(
    ("damaged", "first"), [("000001.video", 1), ("000001.depth", 1), ("000002.state", 1), ("000000.video", 0)]
)
def test_what_is_damaged_is_made_again(damaged: str, first: int, broken: Broken) -> None:
    path = broken.job / damaged
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    assert broken.resume() == ([f"went on from frame {first * SEGMENT}"] if first else [])
    broken.assert_as_unbroken()


def test_it_is_refused_unless_asked_for_and_overwrite_starts_anew(broken: Broken) -> None:
    with pytest.raises(InputError, match="unfinished job: --resume goes on with it, --overwrite starts anew"):
        refocus(broken.folder, broken.out)
    assert (broken.job / "000002.state").is_file()
    report = refocus(broken.folder, broken.out, overwrite=True)
    assert report.frames == FRAMES
    broken.assert_as_unbroken()


def test_another_job_does_not_go_on_with_it(broken: Broken) -> None:
    clip = broken.folder / "in.mp4"
    before, facts = clip.read_bytes(), clip.stat()
    with pytest.raises(InputError, match=r"begun with another setting of aperture; .*--overwrite"):
        broken.resume(replace(SETTINGS, aperture=3.0))
    clip.write_bytes(before[:-1] + b"?")
    os.utime(clip, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # the same size and time: the content tells
    with pytest.raises(InputError, match="begun with another input"):
        broken.resume()
    clip.write_bytes(before)
    os.utime(clip, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    broken.resume()
    broken.assert_as_unbroken()


def test_two_runs_do_not_write_into_one_folder(broken: Broken) -> None:
    held = lock(broken.job / "lock")
    assert held is not None
    with pytest.raises(InputError, match="another run of this job is at work"):
        broken.resume()
    held.release()
    broken.resume()
    broken.assert_as_unbroken()


def test_two_new_runs_at_once_leave_the_first_one_alone(broken: Broken) -> None:
    """The second one has looked before the first one made its folder."""
    shutil.rmtree(broken.job)
    with open_job([broken.out], resume=False, overwrite=False) as first:
        second = open_job([broken.out], resume=False, overwrite=False)
        job = second.__enter__()
        first.begin({"input": "x"}, overwrite=False)
        with pytest.raises(InputError, match="another run of this job is at work") as refused:
            job.begin({"input": "x"}, overwrite=False)
        assert not second.__exit__(InputError, refused.value, None)
        assert (broken.job / "job.json").is_file()
        first.remove()


@pytest.mark.parametrize("identity", ["[]", "null", '"x"', "{}"])
def test_an_identity_that_is_none_is_another_job_s(broken: Broken, identity: str) -> None:
    (broken.job / "job.json").write_text(f'{{"identity": {identity}}}')
    with pytest.raises(InputError, match="--resume cannot go on: the job was begun with another input"):
        broken.resume()


def test_a_vanished_input_destroys_nothing(broken: Broken) -> None:
    clip, away = broken.folder / "in.mp4", broken.whole / "in.mp4"
    clip.rename(away)
    with pytest.raises(InputError, match=r"in\.mp4 does not exist"):
        broken.resume()
    away.rename(clip)
    broken.resume()
    broken.assert_as_unbroken()


def test_a_kill_between_delivery_and_tidying_up_leaves_a_finished_job(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a SIGKILL just before the folder's removal: the files are known as its own by inode, size and time."""
    broken.resume()
    job = JobFolder([broken.out, broken.folder / "depth.mkv"])
    shutil.copytree(broken.whole / "job", broken.job)
    for target in job.targets:
        target.rename(job.results.aside(target))
    with monkeypatch.context() as killed:
        killed.setattr(JobFolder, "remove", _nothing)
        job.deliver()
    assert broken.resume() == [f"{broken.out} was finished already"]
    broken.assert_as_unbroken()


def test_a_disk_that_is_full_at_the_end_costs_nothing_but_the_end(broken: Broken) -> None:
    """Every segment fits, the whole file does not."""
    segment = max(path.stat().st_size for path in (broken.whole / "job").glob("*.depth"))
    whole = (broken.whole / "depth.mkv").stat().st_size
    process = run_job(broken.folder, room=(segment + whole) // 2)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.count("\n") == 1
    assert all(words in stderr for words in ("depth.mkv: cannot write", "--resume goes on"))
    assert names(broken.folder) == [".out.mp4.pullfocus", "in.mp4"]
    assert broken.resume() == []  # nothing is encoded again
    broken.assert_as_unbroken()


def kill_somewhere(process: subprocess.Popen[str], job: Path, after_s: float) -> None:
    wait_for(lambda: job.is_dir() or process.poll() is not None)
    time.sleep(after_s)
    process.kill()
    process.communicate()


def test_killed_again_and_again_it_makes_the_same_files(broken_once: Broken, rng: np.random.Generator) -> None:
    shutil.rmtree(broken_once.job, ignore_errors=True)
    for _ in range(5):
        kill_somewhere(run_job(broken_once.folder), broken_once.job, after_s=float(rng.uniform(0.0, 0.3)))
    if not broken_once.out.exists() or broken_once.job.exists():
        _, stderr = run_job(broken_once.folder).communicate(timeout=60)
        assert stderr == ""
    broken_once.assert_as_unbroken()


def test_depth_alone_goes_on_too_and_pictures_have_nothing_to_resume(broken: Broken, tmp_path: Path) -> None:
    source, plain, out = str(broken.folder / "in.mp4"), broken.whole / "plain.mkv", broken.whole / "alone.mkv"
    depth_of_video(source, plain, SETTINGS)
    depth_of_video(source, out, SETTINGS, resume=True)  # nothing there: from the start
    assert frames_of(out) == frames_of(plain)
    assert_one_line(run("depth", tmp_path, "-o", tmp_path / "x", "--resume"), "--resume goes on with a video")
