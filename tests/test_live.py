"""`pullfocus live` without a display: pace, drops, options, and what it says of bad input."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.clock import pace
from pullfocus.stream.frame import Frame
from pullfocus.stream.live_request import LiveRequest

from .clip import write_clip
from .command import assert_one_line
from .live_run import SMALL, decoded, live, report_of


@pytest.mark.real_time
def test_synthetic_pictures_come_in_real_time(tmp_path: Path) -> None:
    report = report_of(tmp_path, "--source", "synthetic", "--sink", "null", *SMALL, "--frames", "31")
    assert report["frames"] + report["dropped"] == 31
    assert 1.0 <= report["elapsed_s"] < 3.0


@pytest.mark.real_time
def test_a_file_is_paced_like_a_camera(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=26)
    report = report_of(tmp_path, "--source", clip, "--sink", "null")
    assert report["frames"] + report["dropped"] == 26
    assert 1.0 <= report["elapsed_s"] < 3.0


def test_a_recorded_file_loses_nothing(tmp_path: Path) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", frames=26, size_wh=(640, 480)), tmp_path / "out.mp4"
    report = report_of(tmp_path, "--source", clip, "--sink", out, "--view", "panel", "--quality", "fine")
    assert (report["frames"], report["dropped"], report["sinks"][str(out)]["frames"]) == (26, 0, 26)
    assert [round(time_s * 25) for time_s, _ in decoded(out)] == list(range(26))


@pytest.mark.real_time
def test_frames_that_come_too_fast_are_dropped_and_counted(tmp_path: Path) -> None:
    report = report_of(
        tmp_path, "--source", "synthetic", "--sink", "null", "--fps", "900", "--view", "panel", "--frames", "300"
    )
    assert report["dropped"] > 50
    assert report["frames"] + report["dropped"] == 300


def test_a_long_gap_repeats_the_last_picture() -> None:
    first = Frame(np.zeros((16, 16, 3), np.uint8), 0, 0, Fraction(1, 1000))
    second = replace(first, pts=1750, index=1)
    started_s = monotonic()
    frames = list(pace(iter((first, second)), longest_gap_s=0.5))  # long enough for a busy machine
    assert monotonic() - started_s == pytest.approx(1.75, abs=0.4)
    assert [frame.pts for frame in frames] == [0, 500, 1000, 1500, 1750]


def test_nothing_that_opens_the_window_imports_pyav() -> None:
    code = "import sys; from pullfocus.stream import cli, live_job, window; print('av' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--source", "97", "--sink", "null"), ("camera 97 cannot be opened",)),
        (("--source", "nowhere.mp4", "--sink", "null"), ("nowhere.mp4", "no such file", "synthetic")),
        (("--source", __file__, "--sink", "null"), ("not a readable video",)),
        (("--source", "rtsp://127.0.0.1:9/x", "--sink", "null"), ("rtsp://127.0.0.1:9/x",)),
        (("--source", "synthetic", "--sink", "null", "--size", "huge"), ("--size huge", "WxH")),
        (("--source", "synthetic", "--sink", "out.avi"), (".avi", ".mp4")),
        (("--source", "synthetic", "--sink", "window"), ("cannot connect to the display :4242", "--sink null")),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":4242")
    assert_one_line(live(*arguments), *words)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"rate": float("inf")}, {"rate": float("nan")}, {"frames": -1}])
def test_a_request_checks_itself(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        LiveRequest(**wrong)


def test_which_sinks_are_files() -> None:
    assert LiveRequest(sinks=("null", "a/out.mp4")).is_recorded
    assert not LiveRequest(sinks=("null", "window")).is_recorded
