"""The README's figures come from the committed result files, and those are as good as we say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pullfocus.benchmarks import readme_table
from pullfocus.benchmarks.against_report import GOAL_RATIO
from pullfocus.benchmarks.peers.table import as_markdown, means
from pullfocus.benchmarks.readme_rows import ROWS, Row
from pullfocus.benchmarks.truth import means as means_of_families
from pullfocus.kernels.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def result(name: str) -> dict[str, Any]:
    assert f"benchmarks/results/{name}.json" in README
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The README and the result files, to be changed."""
    shutil.copytree(ROOT / readme_table.RESULTS, tmp_path / readme_table.RESULTS)
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr("sys.argv", ["readme_table", *map(str, arguments)])
    return readme_table.main()


# ---- the table is generated


def test_the_readme_says_what_the_result_files_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails: python -m pullfocus.benchmarks.readme_table --write."""
    assert call(monkeypatch, "--check") == 0


def test_another_figure_in_a_file_is_found_and_written(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--check", "--root", checkout) == 0
    path = checkout / readme_table.RESULTS / "resnet18_nyu654.json"
    path.write_text(path.read_text().replace('"pair_order": 0.92', '"pair_order": 0.93'))
    assert call(monkeypatch, "--check", "--root", checkout) == 1
    said = capsys.readouterr()
    assert "should be: | Does the net know near from far?" in said.out
    assert "0.939; δ1" in said.out
    assert said.err.count("\n") == 1
    assert (checkout / "README.md").read_text(encoding="utf-8") == README  # --check changes nothing
    assert call(monkeypatch, "--write", "--root", checkout) == 0
    assert call(monkeypatch, "--check", "--root", checkout) == 0
    now = (checkout / "README.md").read_text(encoding="utf-8")
    assert now.replace("0.939; δ1", "0.929; δ1") == README  # and nothing else was touched


def test_a_row_without_its_file_is_not_shown(checkout: Path) -> None:
    def answer(fuzz: dict[str, Any], new: dict[str, Any]) -> str:
        return f"{fuzz['seed']} {new['figure']}"

    row = Row("Is it?", "`do it`", ("fuzz", "yet_to_come"), answer)
    rows = (ROWS[0], row)
    assert "Is it?" not in readme_table.as_markdown(rows, checkout)
    (checkout / readme_table.RESULTS / "yet_to_come.json").write_text('{"figure": "yes"}')
    last = readme_table.as_markdown(rows, checkout).splitlines()[-1]
    assert last.startswith("| Is it? | 0 yes | `do it` | `benchmarks/results/fuzz.json`, `benchmarks/results/yet_to")


def test_a_file_of_another_form_is_named(checkout: Path) -> None:
    (checkout / readme_table.RESULTS / "page.json").write_text("{}")
    with pytest.raises(InputError, match="page: KeyError"):
        readme_table.as_markdown(ROWS, checkout)


@pytest.mark.parametrize("readme", ["none", f"{readme_table.BEGIN}\n", f"{readme_table.END}\n{readme_table.BEGIN}\n"])
def test_a_readme_without_its_markers_is_refused(readme: str) -> None:
    with pytest.raises(InputError, match="once each"):
        readme_table.replaced(readme, "| table |")


# ---- the figures hold what they promise


def test_depth_quality_is_as_promised() -> None:
    score = result("resnet18_nyu654")
    assert score["pictures"] == 654
    assert score["pair_order"] >= 0.92
    assert "int8" in score["engine"]


def test_the_page_is_as_late_and_as_cheap_as_promised() -> None:
    measured = result("page")
    late, (alone, watched) = measured["late"], measured["runs"].values()
    assert max(each["p50_ms"] for each in late.values()) < 150
    assert watched["fps"] > 0.95 * alone["fps"]


def test_depth_is_as_steady_as_promised() -> None:
    steadiness = result("steadiness")
    video, still = ([steadiness[part][way] for way in ("pipeline", "pipeline, steady")] for part in ("video", "still"))
    assert video[1]["flicker"] <= 0.009
    assert video[1]["delta1"] >= video[0]["delta1"] - 0.002
    assert still[1]["layer_changes"] < 0.005
    assert set(steadiness["frames_to_follow"].values()) == {0}


def test_refocus_is_as_near_to_a_lens_as_promised() -> None:
    found = {name: (a["all"], a["edge band"]) for name, a in means_of_families(result("thin_lens")["psnr_db"]).items()}
    assert np.all(np.greater_equal(found["fine"], (39.0, 35.0)))
    assert np.all(np.greater_equal(found["fast"], (35.0, 31.0)))
    assert found["fine, net's depth"][1] >= found["fine, net's depth, bilinear"][1] + 4.0
    assert found["fine"][0] >= found["fine, even planes"][0] + 0.5


@pytest.mark.parametrize("name", ["against_report", "against_report_fine"])
def test_a_frame_costs_as_much_less_than_the_reports_as_it_should(name: str) -> None:
    facts = result(name)
    assert facts["goal_ratio"] == GOAL_RATIO[facts["quality"]]
    assert facts["ratio"] >= facts["goal_ratio"]


@pytest.mark.parametrize("name", ["bench_480p", "bench_720p"])
def test_latency_that_is_told_held_still(name: str) -> None:
    (row,) = result(name)["rows"]
    assert len(row["runs"]) >= 5
    assert abs(row["steadiness"]["drift"]) <= 0.1  # the least steady run's; a virtual machine's speed comes and goes
    assert row["conditions"]["others"] <= 0.02


def test_the_machines_are_named_by_their_files(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = checkout / readme_table.RESULTS / "against_report.json"
    path.write_text(path.read_text().replace('"cpu_model": "26 2"', '"cpu_model": "6 1"'))
    assert call(monkeypatch, "--write", "--root", checkout) == 0
    assert "| AMD EPYC (6 1): " in (checkout / "README.md").read_text(encoding="utf-8")
    path = checkout / readme_table.RESULTS / "bench_720p.json"
    path.write_text(path.read_text().replace('"cpu_model": "26 2"', '"cpu_model": "6 1"'))
    with pytest.raises(InputError, match="made on different machines"):
        call(monkeypatch, "--write", "--root", checkout)


def test_other_ways_to_blur_come_less_near() -> None:
    told = {name: means(peer) for name, peer in result("peers")["peers"].items()}
    for name, figures in told.items():
        if not name.startswith("ours"):
            assert figures["all"] < told["ours, fast"]["all"], name
            assert figures["edge band"] < told["ours, fast"]["edge band"], name


def test_the_tables_of_other_ways_are_those_of_their_file() -> None:
    told = (ROOT / "docs" / "benchmark_peers.md").read_text(encoding="utf-8")
    assert as_markdown(result("peers")) in told


def test_the_soak_was_well() -> None:
    soak = result("soak")
    assert soak["result"]["faults"] == []
    assert soak["request"]["seconds"] >= 600
    live = result("live_soak")
    assert live["result"]["faults"] == []
    assert live["request"]["seconds"] >= 1800


def test_nothing_was_lost_in_kills_and_by_damage() -> None:
    assert all(result(name)["result"]["faults"] == [] for name in ("kills", "kills_pictures", "kills_gif", "fuzz"))
    assert result("kills")["result"]["kills"] >= 200
    assert result("fuzz")["result"]["mutants"] >= 2000


def test_every_file_that_the_readme_names_is_there() -> None:
    for line in README.splitlines():
        for part in line.split("](")[1:]:
            target = part.split(")")[0].split("#")[0]
            if target and "://" not in target:
                assert (ROOT / target).is_file(), target


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "results").glob("*.json")), ids=lambda path: path.stem)
def test_every_result_says_what_it_depends_on(path: Path) -> None:
    facts = json.loads(path.read_text(encoding="utf-8"))
    made_in = facts.get("environments", [facts | facts.get("environment", {})])  # a table may grow over several
    assert made_in
    assert all({"cpu", "commit", "python", "pullfocus"} <= each.keys() for each in made_in)
