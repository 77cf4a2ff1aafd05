"""The README's figures come from the committed result files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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


def test_the_cost_against_the_report_is_as_measured() -> None:
    costs = result("against_report")
    assert f"{costs['ratio']:.1f} ×" in README
    assert costs["ratio"] >= 4.0
    for name in ("report", "ours"):
        assert f"{costs['costs'][name]['median_ms']:.0f} ms" in README


@pytest.mark.parametrize("size", ["480p", "720p"])
def test_the_speed_is_as_measured(size: str) -> None:
    report = result(f"bench_{size}")
    assert f"{report['fps']:.0f} fps at {size}" in README
    work_ms = sum(report["stages"][name]["p50_ms"] for name in ("depth", "layers", "refocus"))
    assert f"{work_ms:.0f} ms" in README


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


def test_the_soak_was_well_and_is_as_measured() -> None:
    soak = result("soak")
    assert soak["result"]["faults"] == []
    assert soak["request"]["seconds"] >= 600
    assert f"{soak['memory_excess']:.1%}".replace("%", " %") in README


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
