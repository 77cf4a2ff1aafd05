"""The report's analysis in numbers."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.training import analysis
from pullfocus.training.analyse import FAILURES, LAYERS, NUMBERS, OCCLUSION, SMOOTHING, AnalysisRequest, run_analysis
from pullfocus.training.analysis import Case
from pullfocus.training.data import Pair

from .sets import write_set


def case(boxes: int, noise: float = 0.0, name: str = "x") -> Case:
    """A wall 2.5 m away and boxes 1 m away, in a textured picture; the prediction is the truth and noise."""
    rng = np.random.default_rng(0)
    truth = np.full((96, 128), 0.2, np.float32)
    for box in range(boxes):
        truth[30:60, 8 + 24 * box : 20 + 24 * box] = 0.5
    picture = rng.integers(0, 256, (96, 128, 3), np.uint8)
    prediction = np.clip(truth + noise * rng.standard_normal(truth.shape), 0.0, 1.0).astype(np.float32)
    return Case.of(name, Pair(picture, truth, True), prediction)


def test_more_layers_keep_more_depth_and_come_nearer_to_many() -> None:
    ramp = np.linspace(0.1, 0.9, 128, dtype=np.float32)[None].repeat(96, axis=0)
    picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    rows = analysis.by_layer_count([Case.of("ramp", Pair(picture, ramp, True), ramp)])
    kept = [rows[count]["variance_kept"] for count in analysis.LAYER_COUNTS]
    assert kept == sorted(kept)
    # K equal steps leave 1 / K² of a ramp's variance.
    assert rows[2]["variance_kept"] == pytest.approx(1 - 1 / 4, abs=0.01)
    assert rows[4]["variance_kept"] == pytest.approx(1 - 1 / 16, abs=0.01)
    assert rows[16]["psnr_db"] > rows[2]["psnr_db"] + 3
    assert rows[2]["near_share"] == pytest.approx(0.5, abs=0.03)


def test_smoothing_wins_on_noise_and_loses_at_edges() -> None:
    rows = analysis.by_filter([case(3, noise=0.03)])
    assert rows["median 5 px"]["abs_rel"] < rows["none"]["abs_rel"]
    clean = analysis.by_filter([case(3)])
    assert clean["gaussian 15 px"]["boundary_f1"] < clean["none"]["boundary_f1"]
    assert clean["gaussian 15 px"]["abs_rel"] > clean["none"]["abs_rel"]


@pytest.mark.parametrize(("kind", "size_px"), [("median", 5), ("median", 15), ("gaussian", 9)])
def test_filters_leave_a_flat_map_alone(kind: str, size_px: int) -> None:
    flat = np.full((20, 20), 0.4, np.float32)
    np.testing.assert_allclose(analysis.filtered(flat, kind, size_px), flat, atol=1e-6)


def test_scenes_are_grouped_by_their_share_of_edges() -> None:
    rows = analysis.by_occlusion([case(4, name="full"), case(0, name="wall"), case(1, name="one")])
    assert list(rows) == list(analysis.SCENE_GROUPS)
    shares = [figures["edge_share"] for figures in rows.values()]
    assert shares[0] == 0.0
    assert shares == sorted(shares)


def test_failures_come_worst_first() -> None:
    good, bad = case(2, name="good"), case(2, name="bad")
    upside_down = Case.of("bad", bad.pair, 1.0 - bad.prediction)
    worst = analysis.failures([good, upside_down, case(2, 0.3, "noisy")], 2)
    assert [item.name for item in worst] == ["bad", "noisy"]
    assert worst[0].figures["pair_order"] == 0.0


def test_error_map_is_zero_for_any_scale_and_shift() -> None:
    perfect = case(2)
    moved = Case.of("moved", perfect.pair, 0.3 * perfect.prediction + 0.1)
    np.testing.assert_allclose(analysis.error_map(moved), 0.0, atol=1e-6)


def test_command_writes_figures_and_numbers(tmp_path: Path, random_model: Path) -> None:
    data = write_set(tmp_path, 5)
    request = AnalysisRequest((data,), tmp_path / "out", str(random_model), pictures=4)
    run_analysis(request)
    for name in (LAYERS, SMOOTHING, OCCLUSION, FAILURES):
        picture = cv2.imread(str(tmp_path / "out" / name))
        assert picture is not None
        assert picture.std() > 10, name
    numbers = json.loads((tmp_path / "out" / NUMBERS).read_text(encoding="utf-8"))
    assert numbers["pictures"] == 4
    assert set(numbers["layers"]) == {str(count) for count in analysis.LAYER_COUNTS}
    with pytest.raises(InputError, match="--overwrite"):
        run_analysis(request)


def test_sets_without_metres_are_refused(tmp_path: Path, random_model: Path) -> None:
    data = write_set(tmp_path, 3, kind="disparity")
    with pytest.raises(InputError, match="no pictures with metric depth"):
        run_analysis(AnalysisRequest((data,), tmp_path / "out", str(random_model)))
