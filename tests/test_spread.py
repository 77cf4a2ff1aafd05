"""Films in pieces: the steps, without a cluster."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.errors import OutputError
from pullfocus.stream.batch import Batch
from pullfocus.stream.batch_plan import Task
from pullfocus.stream.config import Settings
from pullfocus.stream.film_parts import look_through
from pullfocus.stream.film_steps import Lengths, Piece
from pullfocus.stream.spread import Answer, Spread, do, everywhere
from pullfocus.stream.video_job import refocus_video

from .clip import write_clip
from .probe import decode_all, probe
from .test_films import make_animation

# Without --steady, which would look for motion in every frame.
SETTINGS = Settings(engine=EngineRequest("plane"), steady=False, depth_range="auto", aperture=20.0)
SHORT = Lengths(part=20, whole=10, segment=10)


class Here:
    """Does pieces in this process, the last one first; some of them are refused."""

    room = 3

    def __init__(self, refused: str = "") -> None:
        self.done: list[str] = []
        self._refused = refused
        self._answers: dict[Hashable, Answer] = {}
        self._count = 0

    def submit(self, piece: Piece, /) -> Hashable:
        name = piece.work.__name__
        self._count += 1
        self._answers[self._count] = Answer(reason="no") if name == self._refused else do(piece, version("pullfocus"))
        self.done.append(name)
        return self._count

    def wait(self, tickets: Collection[Any], timeout_s: float, /) -> list[tuple[Hashable, Answer]]:
        last = max(tickets)
        return [(last, self._answers.pop(last))]

    def cancel(self, tickets: Collection[Any], /) -> None:
        for ticket in tickets:
            del self._answers[ticket]


def spread(workers: Here, tasks: list[Task], settings: Settings = SETTINGS) -> Batch:
    state = Batch(len(tasks))
    Spread(workers, state.add).run(tasks, settings, overwrite=False, lengths=SHORT)
    return state


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", frames=43, size_wh=(96, 64), sound=True)


@pytest.fixture(scope="module")
def whole(clip: Path) -> Path:
    """What one process makes of it."""
    out = clip.with_name("whole.mp4")
    refocus_video(str(clip), out, SETTINGS, segment_frames=10)
    return out


def test_a_long_film_in_pieces_is_what_one_process_makes_of_it(clip: Path, whole: Path, tmp_path: Path) -> None:
    workers = Here()
    state = spread(workers, [Task(clip, tmp_path / "out.mp4")])
    assert workers.done == ["begin", "ask", "ask", "ask", "make_plan", "render_part", "render_part", "render_part"]
    assert (state.count("done"), state.outcomes[0].frames) == (1, 43)
    assert probe(tmp_path / "out.mp4") == probe(whole)
    for ours, wanted in zip(decode_all(tmp_path / "out.mp4"), decode_all(whole), strict=True):
        np.testing.assert_array_equal(ours.to_ndarray(), wanted.to_ndarray())
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_film_that_failed_half_way_is_gone_on_with(clip: Path, whole: Path, tmp_path: Path) -> None:
    short = write_clip(tmp_path / "short.mp4", frames=4)
    tasks = [Task(clip, tmp_path / "out" / "long.mp4"), Task(short, tmp_path / "out" / "short.mp4")]
    state = spread(Here(refused="make_plan"), tasks)
    assert {outcome.source: (outcome.state, outcome.reason) for outcome in state.outcomes} == {
        str(clip): ("failed", "no"), str(short): ("done", ""),
    }  # fmt: skip
    workers = Here()
    assert spread(workers, tasks).count("skipped") == 1
    assert workers.done == ["begin", "make_plan", "render_part", "render_part", "render_part"]
    assert (tmp_path / "out" / "long.mp4").read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["long.mp4", "short.mp4"]


def test_what_another_job_has_left_is_not_used(clip: Path, tmp_path: Path) -> None:
    tasks = [Task(clip, tmp_path / "long.mp4")]
    spread(Here(refused="render_part"), tasks)
    workers = Here()
    spread(workers, tasks, Settings(engine=EngineRequest("plane"), focus=SETTINGS.focus))
    assert workers.done.count("ask") == 3


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_a_long_animation_is_the_same_too(ending: str, tmp_path: Path) -> None:
    source, whole = tmp_path / f"in{ending}", tmp_path / f"whole{ending}"
    make_animation(source, list(range(0, 36 * 4, 4)), 0, end=36 * 4)
    refocus_video(str(source), whole, SETTINGS)
    workers = Here()
    state = spread(workers, [Task(source, tmp_path / f"out{ending}")])
    assert [outcome.reason for outcome in state.outcomes] == [""]
    assert ("render_part" in workers.done) == (ending == ".gif")  # a WebP is one piece
    assert (tmp_path / f"out{ending}").read_bytes() == whole.read_bytes()


def test_a_damaged_film_is_worked_on_in_one_piece(clip: Path, tmp_path: Path) -> None:
    damaged = bytearray(clip.read_bytes())
    for place in range(2_000, len(damaged) // 2, 500):
        damaged[place : place + 100] = bytes(100)
    (tmp_path / "damaged.mp4").write_bytes(damaged)
    assert not look_through(str(tmp_path / "damaged.mp4")).whole
    workers = Here()
    assert spread(workers, [Task(tmp_path / "damaged.mp4", tmp_path / "out.mp4")]).count("done") == 1
    assert workers.done == ["begin", "do_whole"]


def test_a_very_long_film_has_longer_parts() -> None:
    lengths = Lengths(part=400, whole=800, segment=100, parts=32)
    assert [lengths.part_of(frames) for frames in (900, 12_800, 12_801, 108_000)] == [400, 400, 800, 3600]


def test_a_worker_of_another_version_is_named() -> None:
    answer = do(Piece(len, ("abc",)), ours="9.9")
    assert answer.value is None
    assert f"has pullfocus {version('pullfocus')}, expected 9.9" in answer.reason
    assert do(Piece(len, ("abc",)), version("pullfocus")) == Answer(3)


def test_errors_become_answers() -> None:
    def broken() -> None:
        raise OutputError("the disk is full")

    assert do(Piece(broken, ()), version("pullfocus")) == Answer(reason="the disk is full")
    assert do(Piece(len, (3,)), version("pullfocus")).reason.startswith("unexpected TypeError:")


def test_settings_mean_the_same_on_every_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.safetensors").touch()
    settings = Settings(face_model=Path("faces.onnx"), engine=EngineRequest(model="mine.safetensors"))
    there = everywhere(settings, threads=2)
    assert there.face_model == tmp_path / "faces.onnx"
    assert there.engine == EngineRequest("auto", "cpu", str(tmp_path / "mine.safetensors"), threads=2)
    assert everywhere(Settings(engine=EngineRequest(device="cuda")), 1).engine == EngineRequest(
        device="cuda", threads=1
    )
