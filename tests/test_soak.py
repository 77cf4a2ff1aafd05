"""The soak run in small: six seconds, no net; and its own faults are found."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from pullfocus.benchmarks.flash_clip import Signals, read_signals, write_clip
from pullfocus.benchmarks.soak import SoakRequest, find_faults, soak, summarise, watch

SECONDS = 6


def signals(count: int = 2) -> Signals:
    """What a perfect clip of `count` seconds holds."""
    frames_s = [Fraction(index, 30) for index in range(30 * count)]
    marks_s = [second + 0.5 for second in range(count)]
    return Signals(frames_s, Fraction(count), Fraction(count), marks_s, marks_s)


def test_a_short_run_is_in_step(tmp_path: Path) -> None:
    # Six seconds are too short to judge memory, of which the imports are the larger part.
    request = SoakRequest(SECONDS, (120, 160), "plane", sample_every_s=0.1, memory_tolerance=1.0)
    result = soak(request, tmp_path)
    assert result.faults == []
    assert result.frames_out == SECONDS * 30
    assert result.flashes == result.beeps == SECONDS
    assert result.memory.samples > 2


def test_a_drawn_clip_is_in_step_with_itself(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", 2, (64, 96))
    found = read_signals(tmp_path / "clip.mp4")
    assert found.flashes_s == pytest.approx([0.5, 1.5])
    assert found.beeps_s == pytest.approx([0.5, 1.5], abs=0.005)


def test_no_fault_in_what_is_the_same() -> None:
    assert find_faults(signals(), signals(), 2) == []


@pytest.mark.parametrize(
    ("after", "word"),
    [
        (replace(signals(), frames_s=signals().frames_s[:-1]), "frames"),
        (replace(signals(), frames_s=[*signals().frames_s[:-1], Fraction(59, 29)]), "timestamps differ from frame 59"),
        (replace(signals(), video_s=Fraction(3)), "video lasts"),
        (replace(signals(), sound_s=Fraction(3)), "sound lasts"),
        (replace(signals(), flashes_s=[0.5]), "flashes"),
        (replace(signals(), beeps_s=[0.5]), "beeps"),
        (replace(signals(), beeps_s=[0.5, 1.55]), "apart"),
    ],
)
def test_each_fault_is_named(after: Signals, word: str) -> None:
    assert any(word in fault for fault in find_faults(signals(), after, 2))


def test_memory_is_judged_after_the_warm_up() -> None:
    start, steady, peak = (0.0, 900.0), [(float(t), 100.0) for t in range(2, 9)], (9.0, 104.0)
    memory = summarise([start, *steady, peak], after_s=1.0)
    assert (memory.samples, memory.median_mb, memory.highest_mb) == (8, 100.0, 104.0)
    assert memory.excess == pytest.approx(0.04)


def test_a_failing_command_is_an_error() -> None:
    with pytest.raises(CalledProcessError):
        watch([sys.executable, "-c", "raise SystemExit(3)"], every_s=0.1)
