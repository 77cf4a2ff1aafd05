"""The benchmark of depth edges: its figures by hand, and a run over small pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.edges import BAND_PX, ENLARGERS, MADE_BAD, NET, figures, measure, without_holes
from pullfocus.benchmarks.truth import as_a_net_tells, edge_band
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels.api import InverseDepth
from pullfocus.training.data import open_set

from .sets import write_set

HEIGHT, WIDTH, EDGE = 48, 80, 40
FAR, NEAR = 0.2, 0.6


def half_near(edge: int = EDGE) -> InverseDepth:
    depth = np.full((HEIGHT, WIDTH), FAR, np.float32)
    depth[:, edge:] = NEAR
    return depth


def test_the_band_is_what_lies_near_a_step() -> None:
    band = edge_band(half_near(), 5.0)
    np.testing.assert_array_equal(np.flatnonzero(band[7]), np.arange(EDGE - 5, EDGE + 6))
    assert not edge_band(np.full((8, 9), 0.3, np.float32), 5.0).any()
    slope = np.linspace(0.0, 1.0, 60, dtype=np.float32)[None].repeat(8, axis=0)
    assert not edge_band(slope, 5.0).any()


def test_figures_of_a_moved_edge_by_hand() -> None:
    """Three columns of the 2 · BAND_PX + 1 near the edge are wrong, by the whole step."""
    found = figures(half_near(EDGE + 3), half_near())
    width = 2 * BAND_PX + 1
    assert found.wrong_near == pytest.approx(3 / width)
    assert found.mae_near == pytest.approx(3 / width * (NEAR - FAR), rel=1e-5)
    assert found.mae_away == 0.0
    assert found.boundary_f1 < 0.1
    perfect = figures(half_near(), half_near())
    assert (perfect.mae_near, perfect.wrong_near, perfect.mae_away) == (0.0, 0.0, 0.0)
    assert perfect.boundary_f1 == pytest.approx(1.0)


def test_less_than_half_the_step_is_not_wrong() -> None:
    for share, wrong in ((0.49, 0.0), (0.51, 1.0)):
        found = figures(half_near() + np.float32(share * (NEAR - FAR)), half_near())
        assert found.wrong_near == wrong
        assert found.mae_away == pytest.approx(share * (NEAR - FAR), rel=1e-5)


def test_holes_do_not_count_and_are_filled_from_beside() -> None:
    target, prediction = half_near(), half_near()
    target[10:20, 30:38] = np.nan
    prediction[10:20, 30:38] = 0.99
    assert figures(prediction, target).mae_near == 0.0
    np.testing.assert_array_equal(without_holes(target), half_near())


def test_without_an_edge_there_is_nothing_near_one() -> None:
    flat = np.full((HEIGHT, WIDTH), 0.4, np.float32)
    found = figures(flat + np.float32(0.1), flat)
    assert np.isnan([found.mae_near, found.wrong_near, found.edge_ratio, found.boundary_f1]).all()
    assert found.mae_away == pytest.approx(0.1, rel=1e-5)


def test_the_pictures_edges_mend_a_plain_scene(tmp_path: Path) -> None:
    """Bright discs before a dark wall. The plane engine knows nothing of them, and has no edge to mend."""
    found = measure(open_set(write_set(tmp_path), "test"), PlaneEngine())
    assert {name: set(ways) for name, ways in found.items()} == {MADE_BAD: set(ENLARGERS), NET: set(ENLARGERS)}
    bilinear, edges = found[MADE_BAD].values()
    for name in ("p0", "p1"):
        assert edges[name].mae_near < 0.6 * bilinear[name].mae_near
        assert edges[name].boundary_f1 > bilinear[name].boundary_f1 + 0.2
    bilinear, edges = found[NET].values()
    assert edges["p0"].mae_near == pytest.approx(bilinear["p0"].mae_near, abs=1e-3)


def test_depth_is_made_as_small_as_a_nets() -> None:
    assert as_a_net_tells(half_near()).shape == (HEIGHT // 4, WIDTH // 4)


def test_it_writes_its_figures_and_what_they_depend_on(tmp_path: Path) -> None:
    out = tmp_path / "edges.json"
    command = [sys.executable, "-P", "-m", "pullfocus.benchmarks.edges", write_set(tmp_path), "--json", out]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert {"cpu", "commit", "python", "pullfocus", "net", "quality"} <= result.keys()
    assert set(result["figures"][NET]["bilinear"]) == {"mean", "p0", "p1"}
    two = [result["figures"][MADE_BAD]["bilinear"][name]["mae_near"] for name in ("p0", "p1")]
    assert result["figures"][MADE_BAD]["bilinear"]["mean"]["mae_near"] == pytest.approx(sum(two) / 2)
