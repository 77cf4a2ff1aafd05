"""The screen as a source, on a virtual display."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from pullfocus.stream.screen import Region

from .command import assert_one_line, run
from .senders import LIVE

pytestmark = pytest.mark.real_time


def test_regions_of_a_screen() -> None:
    assert Region.parse("screen") == Region()
    assert Region.parse("screen:1280x720") == Region((1280, 720))
    assert Region.parse("screen:1280x720+100,50") == Region((1280, 720), (100, 50))


@contextmanager
def x_server() -> Generator[str]:
    """A display of 320 × 240 whose ground is drawn in orange."""
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "320x240x24", "-noreset"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        display = f":{process.stdout.readline().strip()}"
        subprocess.run(["xsetroot", "-display", display, "-solid", "#ff8000"], check=True)
        yield display
    finally:
        process.kill()
        process.wait()


@pytest.mark.display
def test_a_part_of_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.mkv"
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        source = ("--source", "screen:160x120+20,30", "--frames", "5", "--aperture", "0")
        result = run(*LIVE[1:], *source, "--sink", out, "--codec", "ffv1")
        assert result.returncode == 0, result.stderr
        outside = run(*LIVE[1:], "--source", "screen:300x200+100,100", "--sink", "null")
    assert_one_line(outside, "300x200+100,100 does not fit", "320x240")
    with av.open(str(out)) as container:
        picture = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1]
    assert picture.shape == (120, 160, 3)
    assert np.abs(picture.reshape(-1, 3).mean(axis=0) - (255, 128, 0)).max() < 8


def test_no_display_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert_one_line(run(*LIVE[1:], "--source", "screen", "--sink", "null"), "DISPLAY is not set")
