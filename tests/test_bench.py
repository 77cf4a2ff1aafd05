"""`pullfocus bench`: rows in processes of their own, the matrix, and comparing two results."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.latency.child import measure
from pullfocus.benchmarks.latency.job import BenchJob
from pullfocus.benchmarks.latency.machine_state import Conditions
from pullfocus.benchmarks.latency.measure import measure_all, measure_row, warnings_of
from pullfocus.benchmarks.latency.request import Lists, RowRequest, names_of
from pullfocus.benchmarks.latency.result import Result
from pullfocus.benchmarks.latency.row import Row
from pullfocus.kernels.errors import EngineError
from pullfocus.stream.cli import run_cli
from rich.console import Console

from .bench_rows import correlated, result, row
from .clip import write_clip
from .command import assert_one_line, run

TINY = ("--engine", "plane", "--frames", "40", "--warm-up", "5")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The result of a real run of two rows, and what it said."""
    path = tmp_path_factory.mktemp("bench") / "a.json"
    done = run("bench", *TINY, "--size", "160x120", "--size", "320x240", "--json", path)
    assert done.returncode == 0, done.stderr
    return path, done.stdout


def test_a_run_measures_every_frame_and_a_true_latency(measured: tuple[Path, str]) -> None:
    path, said = measured
    read = Result.read(path)
    assert [one.settings["size"] for one in read.rows] == ["160x120", "320x240"]
    for one in read.rows:
        assert (one.frames, one.left_out, len(one.interval_us)) == (40, 5, 40)
        stages_us = sum(series for name, series in one.stages_us.items() if name != "source")
        assert np.all(stages_us <= one.latency_us + 10)  # rounding; frame by frame, waits are on top
        assert one.latency_us.max() < 5e7
        assert one.cpu_us.sum() > 0
        assert one.measuring < 0.01
        assert one.peak_memory_mb > 30
    assert {"cpu", "cpu_model", "cores", "gpu", "driver", "commit", "openvino"} <= read.environment.keys()
    assert "measured: 2 rows" in said
    assert re.search(r"320x240 +[\d.]+ +[\d.]+", said)


def test_a_row_has_the_peak_of_its_own_process() -> None:
    ballast = np.ones(40_000_000)  # 320 MB, here and not in the row's process
    one = measure_row(RowRequest(engine="plane", size="64x48", frames=4, warm_up=1))
    assert one.peak_memory_mb < 300 < ballast.nbytes / 1e6


def test_a_file_is_taken_at_its_own_size(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=5, size_wh=(200, 120))
    one = Row.of_facts(measure(RowRequest(source=str(clip), engine="plane")))
    assert (one.settings["size"], one.frames, one.left_out) == ("200x120", 4, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--frames", "0"), "--frames"),
        (("--engine", "onnx"), "--engine: got 'onnx', expected auto"),
        (("--quality", "best"), "--quality: got 'best'"),
        (("--size", "8x8"), "--size 8x8: expected WxH"),
        (("--aperture", "7", "--aperture", "99"), "--aperture: got 99"),
        (("--layers", "6", "--layers", "6"), "--layers 6 was given more than once"),
        (("--depth-range", "shot"), "--depth-range shot"),
        (("--gate", "no.json"), "no.json: cannot read it"),
        (("--json", "no/a.json"), "the folder no does not exist"),
        (("--report", "pyproject.toml"), "--report pyproject.toml: not a folder"),
        (("nonsense",), "nonsense"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    monkeypatch.setattr("subprocess.Popen", None)  # would be called for a row
    assert run_cli(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_what_is_live_is_refused_by_the_rows_process() -> None:
    assert_one_line(run("bench", "--engine", "plane", "--source", "0"), "--source 0: no such file")


def test_a_process_that_dies_is_told_in_one_line() -> None:
    dying = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(EngineError, match="its process ended by signal 9"):
        measure_row(RowRequest(engine="plane"), dying)


@pytest.mark.parametrize("stop", [EngineError("it broke"), KeyboardInterrupt()])
def test_what_was_measured_before_an_end_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = iter([row(correlated(1))])

    def one(_request: RowRequest) -> Row:
        found = next(rows, None)
        if found is None:
            raise stop
        return found

    monkeypatch.setattr("pullfocus.benchmarks.latency.measure.measure_row", one)
    job = BenchJob(Lists(aperture=(7.0, 3.0)).rows(RowRequest()), json=tmp_path / "a.json")
    with pytest.raises(type(stop)):
        job.run(Console())
    assert len(Result.read(tmp_path / "a.json").rows) == 1
    assert "1 of 2 rows were measured before it ended" in capsys.readouterr().err


def test_rows_are_repeated_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[float]()

    def one(request: RowRequest) -> Row:
        asked.append(request.aperture)
        return row(correlated(len(asked), 50), aperture=request.aperture)

    monkeypatch.setattr("pullfocus.benchmarks.latency.measure.measure_row", one)
    rows = measure_all(Lists(aperture=(7.0, 3.0)).rows(RowRequest()), repeat=3)
    assert asked == [7.0, 3.0] * 3
    assert [(one.settings["aperture"], one.runs) for one in rows] == [(7.0, (50,) * 3), (3.0, (50,) * 3)]


def test_lists_give_every_combination() -> None:
    rows = Lists(size=("64x48", "32x32"), quality=("fast", "fine"), layers=(4,)).rows(RowRequest(engine="plane"))
    assert [(one.size, one.quality, one.layers, one.engine) for one in rows] == [
        (size, quality, 4, "plane") for size in ("64x48", "32x32") for quality in ("fast", "fine")
    ]
    assert names_of([one.facts() for one in rows])[1] == "64x48, fine"
    assert len(Lists().rows(RowRequest())) == 1  # the plain call is cheap


def test_a_busy_machine_and_an_unsteady_run_are_warned_of() -> None:
    assert warnings_of(result(row(correlated(1)))) == []
    busy = row(correlated(1), Conditions(1.0, 1.0, 0.4))
    rising = row(np.rint(correlated(1) * np.linspace(1, 2, 300)).astype(np.int64), aperture=3.0)
    first, second = warnings_of(result(busy, rising))
    assert "up to 40% of the cores' time in 1 of 2 rows" in first
    assert "aperture 3: no steady state" in second


# ---- comparing


def files(tmp_path: Path, *results: Result) -> list[str]:
    paths = [tmp_path / f"{name}.json" for name in "ab"[: len(results)]]
    for each, path in zip(results, paths):
        each.write(path)
    return [str(path) for path in paths]


def test_compare_says_what_is_slower_and_the_gate_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slower = result(row(correlated(2, median_us=26_000)), gpu="RTX")
    del slower.environment["cpu_model"]  # as in files of before: nothing is known, so nothing differs
    names = files(tmp_path, result(row(correlated(1)), row(correlated(3), aperture=3.0)), slower)
    assert run_cli(["bench", "compare", *names]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"640x480 +1\.\d+ \(1\.\d+–1\.\d+\).*slower", out)
    assert "warning: measured on different machines: gpu none, then RTX" in err
    assert "cpu_model" not in err
    assert "measure with --repeat 5 or more" in err
    assert "note: only in A: size 640x480, engine auto, model resnet18, quality fast, layers 6, aperture 3.0" in err
    assert run_cli(["bench", "compare", *names, "--gate"]) == 1
    assert "pullfocus: slower than the baseline: 640x480: median latency × 1." in capsys.readouterr().err
    assert run_cli(["bench", "compare", *reversed(names), "--gate"]) == 0
    assert "faster" in capsys.readouterr().out
    assert run_cli(["bench", "compare", *names, "--gate", "--tolerance", "0.6"]) == 0


def test_results_without_a_common_row_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = files(tmp_path, result(row(correlated(1))), result(row(correlated(2), layers=4)))
    assert run_cli(["bench", "compare", *names, "--gate"]) == 2
    assert "no row in common" in capsys.readouterr().err


def test_a_run_is_held_to_a_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (name,) = files(tmp_path, result(row(correlated(1))))
    now = row(correlated(2, median_us=30_000))

    def measured_now(_request: RowRequest) -> Row:
        return now

    monkeypatch.setattr("pullfocus.benchmarks.latency.measure.measure_row", measured_now)
    assert run_cli(["bench", "--gate", name]) == 1
    assert "slower than the baseline: 640x480" in capsys.readouterr().err
    now = row(correlated(3))
    assert run_cli(["bench", "run", "--gate", name]) == 0
