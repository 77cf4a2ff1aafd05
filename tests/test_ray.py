"""A real local Ray cluster of two workers, one of them killed midway."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from socket import socket
from threading import Thread
from time import sleep

import psutil
import pytest
from pullfocus.engines import finding
from pullfocus.engines.build import EngineRequest
from pullfocus.stream.batch import Batch
from pullfocus.stream.batch_plan import Task
from pullfocus.stream.cli import run_cli
from pullfocus.stream.config import Settings
from pullfocus.stream.film_steps import Lengths
from pullfocus.stream.ray_workers import QUIET, STORE_BYTES, ray_workers
from pullfocus.stream.spread import Spread, everywhere
from pullfocus.stream.video_job import refocus_video

from .clip import write_clip

SETTINGS = Settings(engine=EngineRequest("plane"), steady=False, depth_range="auto", aperture=20.0)
LENGTHS = Lengths(part=20, whole=20, segment=10)
PLANE = ("--engine", "plane", "--no-steady")


@pytest.fixture(scope="module")
def _cluster() -> Iterator[None]:
    """Two workers, for all tests of this file: to start a cluster takes several seconds."""
    os.environ |= QUIET
    ray = import_module("ray")
    ray.init(
        "local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
        object_store_memory=STORE_BYTES,
    )  # fmt: skip
    yield
    ray.shutdown()


def kill_one_worker(killed: list[str]) -> None:
    """Kill a worker that renders, as soon as there is one: Ray names a process after the piece it is at work on."""
    while not killed:
        for process in psutil.Process().children(recursive=True):
            try:
                title = " ".join(process.cmdline())
                if "render_part" in title:
                    process.kill()
                    killed.append(title)
                    return
            except psutil.NoSuchProcess:
                continue
        sleep(0.05)


@pytest.mark.usefixtures("_cluster")
def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path) -> None:
    long, short = write_clip(tmp_path / "long.mp4", frames=60, sound=True), write_clip(tmp_path / "short.mp4")
    tasks = [Task(film, tmp_path / "out" / film.name) for film in (long, short)]
    killed, state = list[str](), Batch(2)
    killer = Thread(target=kill_one_worker, args=(killed,), daemon=True)
    killer.start()
    with ray_workers(None, cuda=False) as workers:
        assert workers.cpus == 1
        Spread(workers, state.add).run(tasks, everywhere(SETTINGS, 1), overwrite=False, lengths=LENGTHS)
    killer.join(1.0)
    assert len(killed) == 1
    assert state.count("done") == 2
    for task in tasks:
        refocus_video(str(task.source), tmp_path / "here.mp4", SETTINGS, overwrite=True, segment_frames=10)
        assert task.target.read_bytes() == (tmp_path / "here.mp4").read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["long.mp4", "short.mp4"]


@pytest.mark.usefixtures("_cluster")
def test_the_command_gives_its_films_to_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The workers' folder is another, and still names are those that the user gave."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    write_clip(Path("in/a.mp4"), frames=3)
    Path("in/b.mp4").write_bytes(b"no video")
    assert run_cli(["batch", "--ray", "in", "-o", "out", *PLANE]) == 1
    out, err = capsys.readouterr()
    assert "in/a.mp4: wrote out/a.mp4, 3 frames" in out
    assert err.startswith("[")
    assert err.endswith("in/b.mp4: not a readable video (Invalid data found when processing input)\n")
    assert run_cli(["batch", "--ray", "in/a.mp4", "-o", "out", *PLANE]) == 0
    assert "skipped, out/a.mp4 exists" in capsys.readouterr().out
    assert run_cli(["batch", "--ray", "in/a.mp4", "-o", "new", "--device", "cuda", "--engine", "torch"]) == 2
    assert "the Ray cluster has no GPU" in capsys.readouterr().err


def test_a_cluster_that_does_not_answer_is_one_line_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=2)
    with socket() as closed:  # bound, and not listening
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert run_cli(["batch", str(clip), "-o", str(tmp_path / "out"), "--ray", address, *PLANE]) == 2
    assert capsys.readouterr().err.startswith(f"pullfocus: --ray {address}: nothing answers there")


def test_without_ray_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_is_installed(*_packages: str) -> None:
        return None

    monkeypatch.setattr(finding, "version_of", none_is_installed)
    clip = write_clip(tmp_path / "a.mp4", frames=2)
    assert run_cli(["batch", str(clip), "-o", str(tmp_path / "out"), "--ray", *PLANE]) == 2
    assert capsys.readouterr().err == (
        "pullfocus: --ray needs ray, which is not installed; run: pip install 'pullfocus[ray]'\n"
    )


def test_a_depth_range_that_needs_a_first_pass_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=2)
    assert run_cli(["batch", str(clip), "-o", str(tmp_path / "out"), "--ray", "--depth-range", "shot", *PLANE]) == 2
    assert capsys.readouterr().err.startswith("pullfocus: --depth-range shot looks through a film first")
    assert not (tmp_path / "out").exists()
