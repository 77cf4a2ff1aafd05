"""`pullfocus batch`: which films, where their results go, and what becomes of errors."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pullfocus.engines.api import Engine
from pullfocus.engines.build import EngineRequest, build
from pullfocus.kernels.errors import InputError
from pullfocus.stream import batch as batch_module
from pullfocus.stream.animation_out import plays_of
from pullfocus.stream.batch import Batch, run_here
from pullfocus.stream.batch_plan import Task, plan
from pullfocus.stream.cli import run_cli
from pullfocus.stream.config import Settings

from .clip import write_clip
from .command import PULLFOCUS
from .probe import probe
from .test_films import make_animation, write_pictures

PLANE = ("--engine", "plane")
TREE = ("a.mp4", "b.avi", "notes.txt", ".hidden.mp4", "deep/a.MOV", "deep/er/c.webm", ".job/d.mp4")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty files of these names below `clips`: a plan does not look into them."""
    monkeypatch.chdir(tmp_path)
    for name in TREE:
        path = Path("clips", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def planned(*inputs: str, out: str = "out", recursive: bool = False) -> dict[str, str]:
    return {str(task.source): str(task.target) for task in plan(inputs, Path(out), recursive)}


@pytest.mark.usefixtures("tree")
def test_the_tree_below_a_folder_is_kept_and_endings_that_cannot_be_written_become_mp4() -> None:
    top = {"clips/a.mp4": "out/a.mp4", "clips/b.avi": "out/b.mp4"}
    assert planned("clips") == top
    deep = {"clips/deep/a.MOV": "out/deep/a.MOV", "clips/deep/er/c.webm": "out/deep/er/c.webm"}
    assert planned("clips", recursive=True) == top | deep


@pytest.mark.usefixtures("tree")
def test_a_glob_keeps_the_tree_below_its_first_wildcard() -> None:
    assert planned("clips/**/*.[mM]*") == {"clips/a.mp4": "out/a.mp4", "clips/deep/a.MOV": "out/deep/a.MOV"}
    assert planned("clips/deep/*/*") == {"clips/deep/er/c.webm": "out/er/c.webm"}
    assert planned("clips/*.txt") == {"clips/notes.txt": "out/notes.mp4"}  # asked for by its ending


def test_animations_are_films_too_and_a_still_webp_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("in"), range(1), "webp")
    make_animation(Path("in/a.webp"), [0, 10, 20], 0)
    make_animation(Path("in/b.gif"), [0, 10, 20], 3)
    assert run_cli(["batch", "in", "-o", "out", *PLANE, "--json", "report.json"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.webp", "b.gif"]
    assert [film["frames"] for film in films_of("report.json")] == [3, 3]
    assert [film["damage"]["concealed"] for film in films_of("report.json")] == [0, 0]
    assert plays_of(Path("out/b.gif")) == 3


@pytest.mark.usefixtures("tree")
def test_a_film_that_is_named_twice_is_done_once_and_brackets_may_be_part_of_a_name() -> None:
    assert planned("clips/a.mp4", "clips", "./clips/../clips/a.mp4") == {
        "clips/a.mp4": "out/a.mp4", "clips/b.avi": "out/b.mp4",
    }  # fmt: skip
    Path("take[1].mp4").touch()
    assert planned("take[1].mp4") == {"take[1].mp4": "out/take[1].mp4"}


@pytest.mark.usefixtures("tree")
def test_results_within_the_input_folder_are_no_inputs() -> None:
    Path("clips/out/deep").mkdir(parents=True)
    Path("clips/out/a.mp4").touch()
    assert "clips/out/a.mp4" not in planned("clips", out="clips/out", recursive=True)
    assert planned("clips/out", out="clips/out/blurred") == {"clips/out/a.mp4": "clips/out/blurred/a.mp4"}


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("inputs", "out", "words"),
    [
        (["clips/a.mp4", "clips/deep/a.MOV", "other/a.mp4"], "out", "clips/a.mp4 and other/a.mp4 would both become"),
        (["clips"], "clips", "clips/a.mp4 is an input and would be the result of clips/a.mp4"),
        (["clips/deep"], "clips/a.mp4", "is a file; expected a folder"),
        (["clips/no.mp4"], "out", "clips/no.mp4 does not exist"),
        (["clips/*.mkv", "clips/deep/er/*.mp4"], "out", r"no video found in clips/\*\.mkv, clips/deep/er/\*\.mp4"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(inputs: list[str], out: str, words: str) -> None:
    Path("other").mkdir()
    Path("other/a.mp4").touch()
    with pytest.raises(InputError, match=words):
        plan(inputs, Path(out), recursive=False)


def test_an_error_stops_only_its_film_and_what_is_done_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.mp4", "in/deep/c.mkv"):
        Path(name).parent.mkdir(exist_ok=True, parents=True)
        write_clip(Path(name), frames=5)
    Path("in/b.mp4").write_bytes(b"no video")
    command = ["batch", "in", "-r", "-o", "out", *PLANE, "--json", "report.json"]
    assert run_cli(command) == 1
    out, err = capsys.readouterr()
    assert err == "[2/3] in/b.mp4: not a readable video (Invalid data found when processing input)\n"
    assert "10 frames" in out
    films = films_of("report.json")
    assert {film["source"]: film["state"] for film in films} == {
        "in/a.mp4": "done", "in/b.mp4": "failed", "in/deep/c.mkv": "done",
    }  # fmt: skip
    assert [film["frames"] for film in films] == [5, 0, 5]
    assert sorted(str(path) for path in Path("out").rglob("*.*")) == ["out/a.mp4", "out/deep/c.mkv"]

    write_clip(Path("in/b.mp4"), frames=5)
    before = Path("out/a.mp4").stat().st_mtime_ns
    assert run_cli(command) == 0
    assert [film["state"] for film in films_of("report.json")] == ["skipped", "done", "skipped"]
    assert Path("out/a.mp4").stat().st_mtime_ns == before
    assert run_cli([*command, "--overwrite"]) == 0
    assert Path("out/a.mp4").stat().st_mtime_ns > before


def test_a_wish_that_no_result_is_written_by_is_refused_and_one_that_some_are_fails_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_animation(Path("a.gif"), [0, 10, 20], 0)
    write_clip(Path("b.mp4"), frames=3)
    options = ["--engine", "plane", "--crf", "30"]
    assert run_cli(["batch", "a.gif", "-o", "out", *options]) == 2
    assert "--crf: out/a.gif is a GIF" in capsys.readouterr().err
    assert not Path("out").exists()
    assert run_cli(["batch", "a.gif", "b.mp4", "-o", "out", *options]) == 1
    assert "a.gif: --crf: out/a.gif is a GIF" in capsys.readouterr().err
    assert [path.name for path in Path("out").iterdir()] == ["b.mp4"]


def films_of(report: str) -> list[dict[str, Any]]:
    return json.loads(Path(report).read_text())["films"]


def test_the_engine_is_built_once_and_not_at_all_when_all_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[Engine]()

    def counted(request: EngineRequest) -> Engine:
        made.append(build(request))
        return made[-1]

    monkeypatch.setattr(batch_module, "build", counted)
    tasks = [Task(write_clip(tmp_path / f"{n}.mp4", frames=2), tmp_path / "out" / f"{n}.mp4") for n in "ab"]
    state = Batch(total=2)
    run_here(tasks, Settings(engine=EngineRequest("plane")), overwrite=False, add=state.add)
    assert (state.count("done"), len(made)) == (2, 1)
    run_here(tasks, Settings(engine=EngineRequest("plane")), overwrite=False, add=state.add)
    assert (state.count("skipped"), len(made)) == (2, 1)


def test_a_batch_gives_what_video_gives(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", sound=True)
    look = (*PLANE, "--focus", "0.2", "--aperture", "15", "--view", "side")
    assert run_cli(["video", str(clip), "-o", str(tmp_path / "one.mp4"), *look]) == 0
    assert run_cli(["batch", str(clip), "-o", str(tmp_path / "out"), *look]) == 0
    assert (tmp_path / "out" / "a.mp4").read_bytes() == (tmp_path / "one.mp4").read_bytes()


def test_ctrl_c_says_what_is_done_and_the_same_command_goes_on(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", frames=3)
    write_clip(tmp_path / "b.mp4", frames=300, size_wh=(640, 480))
    write_clip(tmp_path / "c.mp4", frames=3)
    report = tmp_path / "report.json"
    command = [str(PULLFOCUS), "batch", str(tmp_path), "-o", str(tmp_path / "out"), *PLANE, "--json", str(report)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("[1/3]")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "not done  2" in out
    assert err.count("\n") == 1
    assert (json.loads(report.read_text())["done"], json.loads(report.read_text())["total"]) == (1, 3)
    assert len(probe(tmp_path / "out" / "a.mp4").times_s) == 3
    assert not (tmp_path / "out" / "b.mp4").exists()
