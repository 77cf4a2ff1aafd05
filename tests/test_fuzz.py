"""Damaged files are refocused or refused in one line; and the harness that says so sees what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.commands import HUNG, Ending, run_command
from pullfocus.benchmarks.flash_clip import write_clip
from pullfocus.benchmarks.fuzz import find_fault, fuzz
from pullfocus.benchmarks.mutants import mutant

MUTANTS = 50
CLIP = bytes(range(256)) * 8


def boxes(*kinds: bytes) -> bytes:
    return b"".join((8 + len(kind)).to_bytes(4, "big") + kind + kind for kind in kinds)


def test_mutants_are_decided_by_their_seed() -> None:
    made = [mutant(CLIP, np.random.default_rng(seed)) for seed in range(40)]
    assert made == [mutant(CLIP, np.random.default_rng(seed)) for seed in range(40)]
    assert len(set(made)) > 30


def test_every_kind_of_damage_comes_up() -> None:
    made = [mutant(CLIP, np.random.default_rng(seed)) for seed in range(60)]
    assert any(len(data) < len(CLIP) and CLIP.startswith(data) for data in made)  # cut
    assert any(len(data) < len(CLIP) and not CLIP.startswith(data) for data in made)  # a hole
    assert any(sorted(data) == sorted(CLIP) and data != CLIP for data in made)  # pieces swapped
    changed = [sum(a != b for a, b in zip(data, CLIP)) for data in made if len(data) == len(CLIP)]
    assert min(changed) < 10 < max(changed)


def test_boxes_are_swapped_whole() -> None:
    data = boxes(b"ftyp", b"free", b"mdat")
    made = {mutant(data, np.random.default_rng(seed)) for seed in range(60)}
    assert boxes(b"free", b"ftyp", b"mdat") in made
    assert boxes(b"ftyp", b"mdat", b"free") in made


def ending(code: int, said: str = "") -> Ending:
    return Ending(code, said, 1.0)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        (ending(HUNG), "still running"),
        (ending(-11), "signal 11"),
        (ending(1, "Traceback (most recent call last):\nValueError: x"), "ValueError"),
        (ending(1, "pullfocus: x"), "exit code 1"),
        (ending(2, "pullfocus: a\npullfocus: b"), "2 lines"),
        (ending(2, ""), "0 lines"),
        (ending(0), "cannot be read"),
    ],
)
def test_a_fault_is_seen(how: Ending, word: str, tmp_path: Path) -> None:
    fault = find_fault(how, tmp_path / "out.mkv")
    assert fault is not None
    assert word in fault


def test_a_file_under_the_final_name_of_a_refused_run_is_a_fault(tmp_path: Path) -> None:
    refused = ending(2, "pullfocus: no\n")
    assert find_fault(refused, tmp_path / "out.mkv") is None
    write_clip(tmp_path / "out.mkv", 1, (32, 32))
    assert find_fault(refused, tmp_path / "out.mkv") is not None
    assert find_fault(ending(0), tmp_path / "out.mkv") is None


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    arguments = ["live", "--source", "synthetic", "--engine", "plane", "--sink", "null"]
    assert run_command(arguments, tmp_path / "log.txt", limit_s=0.5).code == HUNG
    assert run_command(arguments, tmp_path / "log.txt", limit_s=60.0, kill_after_s=0.5).code == -9


def test_damaged_files_do_no_harm(tmp_path: Path) -> None:
    result = fuzz([], MUTANTS, seed=1, folder=tmp_path)
    assert result.faults == []
    assert result.refocused + result.refused == MUTANTS
    assert min(result.refocused, result.refused) > MUTANTS // 10
