"""Several sinks from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from .command import assert_one_line, run


def test_two_recordings_from_the_command_line(tmp_path: Path) -> None:
    a, b, facts = tmp_path / "a.mp4", tmp_path / "b.mkv", tmp_path / "facts.json"
    result = run(
        "live", "--engine", "plane", "--source", "synthetic", "--size", "160x120", "--frames", "20",
        "--sink", a, "--sink", b, "--sink", "null", "--json", facts,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert f"wrote {a}, {b}: " in result.stdout
    told = json.loads(facts.read_text())
    for path in (a, b):
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == told["sinks"][str(path)]["frames"] == told["frames"] > 0
    assert told["sinks"]["null"]["frames"] == told["frames"]


@pytest.mark.parametrize(
    ("sinks", "words"),
    [
        (("null", "null"), ("--sink null was given more than once",)),
        (("a.mp4", "./a.mp4"), ("a.mp4", "two files")),
        (("null", "a.avi"), (".avi", ".mp4")),
    ],
)
def test_sinks_that_do_not_go_together_are_one_line(
    sinks: tuple[str, ...], words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = [word for sink in sinks for word in ("--sink", sink)]
    assert_one_line(run("live", "--engine", "plane", "--source", "synthetic", "--frames", "3", *options), *words)
    assert list(tmp_path.iterdir()) == []
