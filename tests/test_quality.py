"""`pullfocus bench quality`: the small version against its baseline, and what the gate lets pass and what not."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.processes import each
from pullfocus.benchmarks.quality import suites
from pullfocus.benchmarks.quality.drawn_set import drawn_set, hand_held
from pullfocus.benchmarks.quality.gate import compare
from pullfocus.benchmarks.quality.request import Found, Request, Settings
from pullfocus.benchmarks.quality.result import Result
from pullfocus.benchmarks.scenes import REPORTING, scene
from pullfocus.kernels import cpu
from pullfocus.kernels.api import AnyPicture, Centres, InverseDepth, Lens, RefocusStyle
from pullfocus.stream.cli import run_cli

from .command import run
from .quality_result import result
from .sets import write_set

ROOT = Path(__file__).resolve().parents[1]
RGBD = ROOT.parent / "shared" / "data" / "rgbd"
BASELINE = ROOT / "benchmarks" / "results" / "quality_small.json"
SMALL = ("bench", "quality", "--small")


# ---- the real run


def test_quality_is_as_good_as_the_baseline() -> None:
    """If a change makes a figure better, or worse for a good reason: measure the baseline again (docs/benchmark.md)."""
    if os.environ.get("PULLFOCUS_REQUIRE_SHARED") == "1":
        assert RGBD.is_dir()
    data = ("--data", RGBD) if RGBD.is_dir() else ()
    done = run(*SMALL, "--gate", BASELINE, *data, timeout_s=280)
    assert done.returncode == 0, done.stderr
    count = sum(len(measures) for suite in figures(BASELINE).values() for measures in suite.values())
    lacking = [] if data else re.findall(r"only in the baseline: depth, NYU", done.stderr)
    assert len(lacking) == (0 if data else 4)
    assert f"none of {count - len(lacking)} figures is worse" in done.stdout
    assert re.search(r"NYU, 25 pictures +pair order +↑ +0\.\d+ +0\.\d+", done.stdout) or not data


def figures(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    return json.loads(path.read_text(encoding="utf-8"))["figures"]


@pytest.fixture
def one_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn scenes of a single family, and a quick one."""
    monkeypatch.setattr(suites, "SMALL_FAMILIES", (suites.FLAT,))


@pytest.mark.usefixtures("one_family")
def test_a_worse_kernel_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, again, worse = (tmp_path / f"{name}.json" for name in ("before", "again", "worse"))
    assert run_cli([*SMALL, "--suite", "lens", "--json", str(before)]) == 0
    assert run_cli([*SMALL, "--suite", "lens", "--json", str(again), "--gate", str(before)]) == 0
    assert figures(again) == figures(before)
    assert "none of 8 figures is worse" in capsys.readouterr().out

    true_refocus = cpu.refocus

    def refocus(
        picture: AnyPicture, depth: InverseDepth, centres: Centres, lens: Lens, style: RefocusStyle
    ) -> AnyPicture:
        return true_refocus(picture, depth, centres, replace(lens, reach_px=1.1 * lens.reach_px), style)

    monkeypatch.setattr(cpu, "refocus", refocus)
    assert run_cli([*SMALL, "--suite", "lens", "--json", str(worse), "--gate", str(before)]) == 1
    lines = capsys.readouterr().err.splitlines()
    named = [line for line in lines if line.startswith("pullfocus: worse than the baseline: lens, f")]
    assert len(named) == len(lines) >= 4
    assert any(
        re.search(r"lens, fine: PSNR, dB \d+\.\d\d against \d+\.\d\d before; tolerance 0.1 \(", n) for n in named
    )
    assert figures(worse)["lens"]["fine"]["psnr_db"] < figures(before)["lens"]["fine"]["psnr_db"] - 0.5


@pytest.mark.usefixtures("one_family")
def test_an_edge_kernel_that_does_nothing_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tmp_path / "before.json"
    request = Request(Settings(small=True))
    result(edges=suites.depth_edges(request)).write(before)
    monkeypatch.setattr(cpu, "upsample", lambda depth, picture: cpu.resize(depth, picture.shape[:2]))  # pyright: ignore
    after = result(edges=suites.depth_edges(request))
    worse = {each.key[2] for each in compare(Result.read(before), after, ("edges",)).worse}
    assert {"mae_near", "boundary_f1"} <= worse


@pytest.mark.usefixtures("one_family")
def test_real_pictures_are_scored_where_they_are(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "set.csv").rename(tmp_path / "test_nyu654.csv")
    (tmp_path / "set").rename(tmp_path / "test_nyu654")
    request = Request(Settings(small=True), ("depth",), tmp_path)
    assert request.left_out == {}
    found = suites.depth_table(request)
    assert set(found["NYU, 1 pictures"]) == set(suites.DEPTH_FIGURES)  # every 27th of two


# ---- what is drawn


def test_the_large_version_takes_the_scenes_of_the_committed_figures() -> None:
    assert Settings().seeds == REPORTING
    assert Settings(small=True).seeds == REPORTING[:1]


def test_a_drawn_set_is_its_scenes() -> None:
    (sample,) = drawn_set(("twigs",), (101,), 2)
    pair, shot = sample.read(), scene("twigs", 101).shrunk(2)
    np.testing.assert_array_equal(pair.image, shot.picture())
    np.testing.assert_array_equal(pair.target, shot.inverse_depth())


def test_a_hand_held_clip_sways_and_its_depth_with_it() -> None:
    first, second = hand_held(suites.FLAT, 101, 4, 2)
    np.testing.assert_array_equal(first.image, scene(suites.FLAT, 101).shrunk(4).picture())
    moved = first.target != second.target
    assert 0.001 < moved.mean() < 0.2
    assert first.target.min() == second.target.min()
    assert np.abs(first.image.astype(int) - second.image).mean() > 0.5


# ---- processes


def test_work_is_spread_over_processes_in_order() -> None:
    assert each(math.sqrt, [4.0, 9.0, 16.0], processes=2) == [2.0, 3.0, 4.0]
    others = set(active_children())
    with pytest.raises(ValueError, match="math domain error"):
        each(math.sqrt, [4.0, -1.0], processes=2)
    assert set(active_children()) == others


# ---- the command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--suite", "speed"), "--suite: got 'speed', expected lens, edges, temporal, depth"),
        (("--suite", "temporal"), "--suite temporal needs test_kitchen.csv; give --data FOLDER"),
        (("--small", "--suite", "depth", "--data", "tests"), "--suite depth needs test_nyu654.csv"),
        (("--data", "nowhere"), "--data nowhere: no such folder; expected one that holds test_edges.csv"),
        (("--precision", "bf16"), "--precision: got 'bf16', expected f32 or int8"),
        (("--model", "none.safetensors"), "none.safetensors"),
        (("--gate", "none.json"), "none.json: cannot read it"),
        (("--gate", "benchmarks/results/bench_480p_zen3.json"), "no result of pullfocus bench quality"),
        (("--gate", str(BASELINE)), "taken with other settings than this run's: small True against False"),
        (("--small", "--seed", "7", "--gate", str(BASELINE)), "seed 101 against 7"),
        (("--small", "--precision", "int8", "--gate", str(BASELINE)), "precision f32 against int8"),
        (("--json", "README.md"), "README.md exists; pass --overwrite"),
        (("--json", "README.md", "--gate", "README.md"), "README.md is named for two files"),
        (("--json", "no/a.json"), "the folder no does not exist"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("pullfocus.benchmarks.quality.job.RUNNERS", {})
    assert run_cli(["bench", "quality", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_what_the_large_version_lacks_is_said_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def runner(_request: Request) -> Found:
        return {"all": {"psnr_db": 30.0}}

    runners = dict.fromkeys(suites.RUNNERS, runner)
    monkeypatch.setattr("pullfocus.benchmarks.quality.job.RUNNERS", runners)
    path = tmp_path / "large.json"
    assert run_cli(["bench", "quality", "--json", str(path)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": the pictures of ")[2] for line in lines] == [
        f"{name}.csv are left out: --data was not given" for name in ("test_edges", "test_kitchen", "test_nyu654")
    ]
    assert json.loads(path.read_text())["left_out"] == [line.removeprefix("note: ") for line in lines]
    path.write_text(path.read_text().replace('"weights_sha256": "', '"weights_sha256": "0'))
    assert run_cli(["bench", "quality", "--suite", "lens", "--gate", str(path)]) == 0
    assert capsys.readouterr().err == "note: the baseline was taken with other weights of the net\n"
