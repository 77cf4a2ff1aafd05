"""How the focus moves by a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pullfocus.stream.config import Settings
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.focus_script import read_focus_script
from pullfocus.stream.frame import FocusPlan
from pullfocus.stream.targets import Fixed

from .clip import write_clip
from .command import run
from .scene import CENTRES, sensed
from .script_file import write

DEPTH = np.full((9, 9), 0.5, np.float32)


def plans(path: Path, times_s: list[float], first_index: int = 0) -> list[FocusPlan]:
    puller = FocusPuller(Settings(script=read_focus_script(path), aperture=4.0))
    return [puller.plan(sensed(DEPTH, t, first_index + i), CENTRES) for i, t in enumerate(times_s)]


def focus(plans: list[FocusPlan]) -> list[float]:
    return [plan.inverse_depth for plan in plans]


@pytest.mark.parametrize("start_s", [0.0, 8.25])
def test_focus_and_aperture_are_pulled_at_their_time(tmp_path: Path, start_s: float) -> None:
    """Times count from the first frame, wherever a stream's timestamps begin."""
    path = write(
        tmp_path,
        {"time": 0, "focus": 0.2},
        {"time": 1, "focus": 0.8, "duration": 2, "easing": "linear", "aperture": 8},
        {"time": 4, "focus": "layer:3", "easing": "cut"},
        {"time": 5, "aperture": 2, "easing": "cut"},
    )
    times_s = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 3.5, 4.0, 5.0, 6.0]
    got = plans(path, [start_s + t for t in times_s])
    assert focus(got) == pytest.approx([0.2, 0.2, 0.2, 0.35, 0.5, 0.8, 0.8, 0.1, 0.1, 0.1])
    assert [plan.aperture for plan in got] == pytest.approx([4, 4, 4, 5, 6, 8, 8, 8, 2, 2])


def test_a_pull_is_the_same_at_any_frame_rate_and_eased(tmp_path: Path) -> None:
    path = write(tmp_path, {"time": 0, "focus": 0.1}, {"time": 0.35, "focus": 0.9, "duration": 1.0})
    for rate in (7, 24, 60):
        got = focus(plans(path, [i / rate for i in range(2 * rate)]))
        part = np.clip(np.arange(2 * rate) / rate - 0.35, 0.0, 1.0)
        assert got == pytest.approx(list(0.1 + 0.8 * part * part * (3 - 2 * part)), abs=1e-5)


def test_frames_count_from_zero_and_may_be_dropped(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"frame": 0, "focus": 0.2},
        {"frame": 10, "focus": 0.4, "duration": 0, "aperture": 9},
        {"frame": 11, "focus": 0.6, "easing": "cut"},
    )
    puller = FocusPuller(Settings(script=read_focus_script(path)))
    got = [puller.plan(sensed(DEPTH, index / 30, index), CENTRES) for index in (0, 9, 14)]
    assert focus(got) == pytest.approx([0.2, 0.2, 0.6])
    assert got[-1].aperture == 9


def test_a_click_takes_the_focus_until_the_next_entry(tmp_path: Path) -> None:
    path = write(tmp_path, {"time": 0, "focus": 0.2}, {"time": 1, "focus": 0.8, "duration": 4},
                 {"time": 6, "focus": 0.8, "easing": "cut"})  # fmt: skip
    puller = FocusPuller(Settings(script=read_focus_script(path)))
    focus = list[float]()
    for index in range(70):
        if index == 20:
            puller.target = Fixed(0.3)
        focus.append(puller.plan(sensed(DEPTH, index / 10), CENTRES).inverse_depth)
    assert 0.2 < focus[19] < 0.4
    assert focus[40] == pytest.approx(0.3, abs=1e-3)
    assert focus[59] == pytest.approx(0.3, abs=1e-3)
    assert focus[60] == pytest.approx(0.8)


def test_a_cut_in_the_film_ends_a_pull(tmp_path: Path) -> None:
    path = write(tmp_path, {"time": 0, "focus": 0.2}, {"time": 1, "focus": 0.8, "duration": 4})
    puller = FocusPuller(Settings(script=read_focus_script(path)))
    got = [puller.plan(sensed(DEPTH, t), CENTRES).inverse_depth for t in (0.0, 1.0, 2.0)]
    puller.reset()
    got.append(puller.plan(sensed(DEPTH, 2.1), CENTRES).inverse_depth)
    assert got[2] < 0.5
    assert got[3] == pytest.approx(0.8)


def test_an_aperture_goes_on_being_pulled_over_a_cut(tmp_path: Path) -> None:
    path = write(tmp_path, {"time": 0, "focus": 0.2}, {"time": 1, "aperture": 30, "duration": 2})
    puller = FocusPuller(Settings(script=read_focus_script(path), aperture=4.0))
    puller.plan(sensed(DEPTH, 0.0), CENTRES)
    puller.reset()
    got = [puller.plan(sensed(DEPTH, t), CENTRES).aperture for t in (1.0, 2.0, 3.0)]
    assert got == pytest.approx([4.0, 17.0, 30.0])


def test_the_command_pulls_the_focus(tmp_path: Path) -> None:
    """The plane engine's top is far and its bottom near: the sharp part of the picture moves from one to the other."""
    clip = write_clip(tmp_path / "in.mp4", frames=30)
    path = write(tmp_path, {"time": 0, "focus": 0.0}, {"time": 0.4, "focus": 1.0, "duration": 0.4}, ending=".toml")
    result = run("bench", "--source", clip, "--engine", "plane", "--frames", "5", "--focus-script", path)
    assert result.returncode == 0, result.stderr
    result = run("video", clip, "-o", tmp_path / "out.mkv", "--engine", "plane", "--focus-script", path)
    assert result.returncode == 0, result.stderr
    from .probe import decode_all

    first, *_, last = (f.to_ndarray(format="rgb24").astype(int) for f in decode_all(tmp_path / "out.mkv"))
    top, bottom = (np.s_[4:20], np.s_[-20:-4])

    def sharpness(part: Any) -> float:
        return float(np.abs(np.diff(part, axis=1)).mean())

    assert sharpness(first[top]) > 2 * sharpness(first[bottom])
    assert sharpness(last[bottom]) > 2 * sharpness(last[top])
