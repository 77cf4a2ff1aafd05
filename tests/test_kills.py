"""Films that are killed and go on are those of an undisturbed run; and the harness that says so sees what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.digests import digest, readable
from pullfocus.benchmarks.flash_clip import write_clip
from pullfocus.benchmarks.kills import Job, kill_and_resume, make_disturbed

KILLS = 5


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kills") / "clip.mp4"
    write_clip(path, 5, (64, 96))
    return path


def test_a_killed_film_goes_on_to_the_same_end(clip: Path, tmp_path: Path) -> None:
    result = kill_and_resume(clip, KILLS, 3, tmp_path, [["--engine", "plane", "--depth-range", "auto"]])
    assert result.faults == []
    assert result.kills == KILLS


def test_another_film_than_that_of_an_undisturbed_run_is_a_fault(clip: Path, tmp_path: Path) -> None:
    job = Job(clip, ["--engine", "plane"], wanted="another", seconds=0.01)
    kills, fault = make_disturbed(job, 0, np.random.default_rng(0), tmp_path)
    assert kills == 0
    assert fault is not None
    assert "differs" in fault


def test_what_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    job = Job(tmp_path / "missing.mp4", ["--engine", "plane"], wanted="", seconds=0.01)
    fault = make_disturbed(job, 0, np.random.default_rng(0), tmp_path)[1]
    assert fault is not None
    assert "does not exist" in fault


def test_a_digest_is_of_what_is_seen_and_heard(clip: Path, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy.mp4", tmp_path / "other.mp4"
    copy.write_bytes(clip.read_bytes())
    write_clip(other, 5, (64, 98))
    assert digest(copy) == digest(clip) != digest(other)
    assert readable(clip)
    assert not readable(tmp_path / "missing.mp4")
