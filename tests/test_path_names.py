"""Names that no file can have: one line, wherever they are given, and nothing is written."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import refused_path
from pullfocus.stream import cli
from pullfocus.stream.cli import run_cli

from .clip import write_clip

LONG = "n" * 300
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or sys.version_info >= (3, 14), reason="there such a name is one that leads nowhere"
)
PLANE = ("--engine", "plane")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder at hand, with a picture and a film."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", np.zeros((48, 64, 3), np.uint8))
    return tmp_path


def one_line(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run_cli([*arguments]) == 2
    said = capfd.readouterr().err
    assert said.startswith("pullfocus: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    "arguments",
    [
        ("live", "--source", LONG, "--sink", "null"),
        ("live", "--source", "synthetic", "--sink", f"{LONG}.mp4"),
        ("live", "--source", "synthetic", "--sink", "null", "--takes", LONG),
        ("live", "--source", "synthetic", "--sink", "null", "--json", LONG),
        ("video", LONG, "-o", "b.mp4"),
        ("video", f"{LONG}/%05d.png", "-o", "b.mp4"),
        ("video", "a.mp4", "-o", f"{LONG}.mp4"),
        ("video", "a.mp4", "-o", "b.mp4", "--depth-in", f"{LONG}.mkv"),
        ("image", f"{LONG}.png", "-o", "b.png"),
        ("image", "a.png", "-o", f"{LONG}.png"),
        ("image", "a.png", "-o", "b.png", "--depth-in", f"{LONG}.png"),
        ("image", "a.png", "-o", "b.png", "--model", f"{LONG}.safetensors"),
        ("depth", f"{LONG}.mp4", "-o", "b.mkv"),
        ("batch", LONG, "-o", "results"),
        ("batch", "a.png", "-o", LONG),
        ("bench", "--json", LONG),
    ],
)
def test_a_name_that_is_too_long_is_one_line(
    here: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    said = one_line(capfd, *arguments)
    assert "nnn… (3" in said
    assert "File name too long; choose a shorter one" in said
    assert len(said) < 300
    assert [path.name for path in here.iterdir()] == ["a.png"]


def test_a_bench_s_process_tells_of_such_a_name(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "File name too long" in one_line(capfd, "bench", "--source", LONG, "--frames", "3", *PLANE)


@pytest.mark.parametrize("pattern", ["%05d.png", "./a%03d.png", "/%05d.png"])
def test_numbered_pictures_at_hand_or_in_a_root_are_refused(
    here: Path, capfd: pytest.CaptureFixture[str], pattern: str
) -> None:
    write_clip(here / "a.mp4", frames=2)
    assert "need a folder of their own" in one_line(capfd, "video", "a.mp4", "-o", pattern, *PLANE)


def test_what_may_not_be_looked_at_is_named() -> None:
    denied = refused_path(PermissionError(errno.EACCES, "Permission denied", "/root/a.mp4"))
    assert str(denied) == "/root/a.mp4: Permission denied; ask its owner, or choose another place"
    assert refused_path(PermissionError(errno.EACCES, "Permission denied")) is None  # not about a path
    assert refused_path(FileNotFoundError(errno.ENOENT, "No such file or directory", "a.mp4")) is None


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_more: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "ours")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(FileNotFoundError):
        run_cli(["doctor"])
