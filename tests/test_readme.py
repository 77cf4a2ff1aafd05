"""The README's figures come from the committed result files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pullfocus.benchmarks.peers.table import as_markdown, means

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def result(name: str) -> dict[str, Any]:
    assert f"benchmarks/results/{name}.json" in README
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_depth_quality_is_as_measured() -> None:
    score = result("resnet18_nyu654")
    assert score["pictures"] == 654
    assert score["pair_order"] >= 0.92
    assert "int8" in score["engine"]
    for figure in (score["pair_order"], score["delta1"], score["abs_rel"]):
        assert f"{figure:.3f}" in README


@pytest.mark.parametrize(
    "name", ["against_report", "against_report_fine", "against_report_zen3", "against_report_fine_zen3"]
)
def test_the_cost_against_the_report_is_as_measured(name: str) -> None:
    costs, ratio = {key: cost["median_ms"] for key, cost in result(name)["costs"].items()}, result(name)["ratio"]
    assert f"{costs['ours']:.0f} ms against {costs['report']:.0f} ms: {ratio:.1f} × less" in README
    assert f"all but the net {costs['rest']:.0f} ms: {costs['report'] / costs['rest']:.1f} × less" in README


@pytest.mark.parametrize("machine", ["", "_zen3"])
@pytest.mark.parametrize("size", ["480p", "720p"])
def test_the_speed_is_as_measured(size: str, machine: str) -> None:
    facts = result(f"bench_{size}{machine}")
    report = facts["rows"][0] if "rows" in facts else facts  # files of before are a single row
    assert f"{report['fps']:.0f} fps at {size}" in README
    work_ms = sum(report["stages"][name]["p50_ms"] for name in ("depth", "layers", "refocus"))
    assert f"{work_ms:.0f} ms" in README


def test_the_page_is_as_late_and_as_cheap_as_measured() -> None:
    measured = result("page")
    late, (alone, watched) = measured["late"], measured["runs"].values()
    assert max(each["p50_ms"] for each in late.values()) < 150
    assert watched["fps"] > 0.95 * alone["fps"]
    told = f"WebRTC {late['webrtc']['p50_ms']:.0f} ms, Motion JPEG {late['mjpeg']['p50_ms']:.0f} ms (medians)"
    assert f"{told}; {watched['fps']:.1f} fps with them, {alone['fps']:.1f} fps without" in README


def test_depth_is_as_steady_as_measured() -> None:
    steadiness = result("steadiness")
    video, still = ([steadiness[part][way] for way in ("pipeline", "pipeline, steady")] for part in ("video", "still"))
    assert video[1]["flicker"] <= 0.009
    assert video[1]["delta1"] >= video[0]["delta1"] - 0.002
    assert still[1]["layer_changes"] < 0.005
    told = [f"{ours['flicker']:.4f} ({ours['delta1']:.3f})" for ours in video]
    assert f"{' and '.join(told)}; {still[0]['layer_changes']:.1%} and {still[1]['layer_changes']:.2%}" in (
        README.replace(" %", "%")
    )
    assert set(steadiness["frames_to_follow"].values()) == {0}


def test_edges_on_real_pictures_are_as_measured() -> None:
    bad = result("edges")["figures"]["made bad"]
    ours, bilinear = (
        f"{figures['mean']['mae_near']:.4f}, {figures['mean']['wrong_near']:.1%}"
        for figures in (bad["picture's edges"], bad["bilinear"])
    )
    assert f"{ours} against {bilinear}" in README.replace(" %", "%")


def test_depth_between_the_nets_frames_is_as_measured() -> None:
    clips = result("net_every")["clips"].values()
    followed, held = (
        [f"{np.mean([clip[f'--net-every {every}'][f'{way}_where_moved'] for clip in clips]):.3f}" for every in (2, 4)]
        for way in ("followed", "held")
    )
    assert f"{' and '.join(followed)} against {' and '.join(held)}" in README


def test_refocus_is_as_near_to_a_lens_as_measured() -> None:
    by_family = result("thin_lens")["psnr_db"].values()
    means = {
        name: tuple(float(np.nanmean([family[name][area] for family in by_family])) for area in ("all", "edge band"))
        for name in next(iter(by_family))
    }
    assert np.all(np.greater_equal(means["fine"], (39.0, 35.0)))
    assert np.all(np.greater_equal(means["fast"], (35.0, 31.0)))
    assert means["fine, net's depth"][1] >= means["fine, net's depth, bilinear"][1] + 4.0
    assert means["fine"][0] >= means["fine, even planes"][0] + 0.5
    for name in ("report", "gather", "fast", "fine", "fine, net's depth", "fine, net's depth, bilinear"):
        assert "{:.1f} / {:.1f} dB".format(*means[name]) in README


def test_other_ways_to_blur_are_as_measured() -> None:
    peers = result("peers")["peers"]
    told = {name: means(peer) | {"leaked": peer["truth"]["bleed"]["leaked"]} for name, peer in peers.items()}
    for name, figures in told.items():
        if name not in ("student report", "gather", "untouched"):  # they stand in the row above
            row = f"{figures['all']:.1f} / {figures['edge band']:.1f} dB, {figures['leaked']:.1%}"
            assert row.replace("%", " %") in README, name
        if not name.startswith("ours"):
            assert figures["all"] < told["ours, fast"]["all"], name
            assert figures["edge band"] < told["ours, fast"]["edge band"], name


def test_the_tables_of_other_ways_are_those_of_their_file() -> None:
    told = (ROOT / "docs" / "benchmark_peers.md").read_text(encoding="utf-8")
    assert as_markdown(result("peers")) in told


def test_the_soak_was_well_and_is_as_measured() -> None:
    soak = result("soak")
    assert soak["result"]["faults"] == []
    assert soak["request"]["seconds"] >= 600
    assert f"{soak['memory_excess']:.1%}".replace("%", " %") in README


def test_nothing_was_lost_in_as_many_kills_as_told() -> None:
    kills = [result(name)["result"] for name in ("kills", "kills_pictures", "kills_gif")]
    assert all(each["faults"] == [] for each in kills)
    films, pictures, animations = (each["kills"] for each in kills)
    assert f"{films} kills of films, {pictures} of numbered pictures, {animations} of a GIF" in README


def test_damaged_files_did_no_harm_as_told() -> None:
    fuzz = result("fuzz")["result"]
    assert fuzz["faults"] == []
    assert f"when {fuzz['mutants']:,} damaged files" in README
    assert f"{fuzz['refocused']:,} were refocused, {fuzz['refused']:,} refused" in README
    assert f"the slowest took {fuzz['slowest_s']:.1f} s" in README


def test_every_file_that_the_readme_names_is_there() -> None:
    for line in README.splitlines():
        for part in line.split("](")[1:]:
            target = part.split(")")[0].split("#")[0]
            if target and "://" not in target:
                assert (ROOT / target).is_file(), target


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "results").glob("*.json")), ids=lambda path: path.stem)
def test_every_result_says_what_it_depends_on(path: Path) -> None:
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert {"cpu", "commit", "python", "pullfocus"} <= (facts | facts.get("environment", {})).keys()
