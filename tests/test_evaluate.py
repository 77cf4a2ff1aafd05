"""Scores over a set on disk, in print and as JSON."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.engines.build import Runtime
from pullfocus.kernels.errors import InputError
from pullfocus.training.data import Sample, open_set
from pullfocus.training.disturb import DISTURBANCES, with_blur, with_gamma, with_jpeg, with_noise
from pullfocus.training.evaluate import EvaluationRequest, run_evaluation
from pullfocus.training.predict import Predict
from pullfocus.training.scoring import LABELS, Score, score

ERRORS = {"abs_rel", "sq_rel_m", "rmse_m", "rmse_log", "log10", "mse"}
METRIC_ONLY = ERRORS | {"delta1", "delta2", "delta3", "psnr_db", "ssim"}
VIDEO_ONLY = {"flicker", "opw_m"}


def write_set(folder: Path, *places: tuple[int, str], kind: str = "metric_mm") -> list[Sample]:
    """Pictures 64 × 80 of a box 1 m away before a wall 3 m away; each at its column and of its sequence."""
    (folder / "set").mkdir(parents=True, exist_ok=True)
    lines = [["name", "source", "depth_kind", "sequence"]]
    for i, (column, sequence) in enumerate(places):
        depth = np.full((64, 80), 3000, np.uint16)
        depth[16:48, column : column + 30] = 1000
        picture = np.where((depth < 2000)[..., None], (230, 200, 180), (30, 60, 50)).astype(np.uint8)
        cv2.imwrite(str(folder / "set" / f"p{i}.jpg"), picture)
        cv2.imwrite(str(folder / "set" / f"p{i}.png"), depth)
        lines.append([f"p{i}", "mine", kind, sequence])
    with (folder / "set.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return open_set(folder / "set.csv")


def truths(samples: list[Sample]) -> Predict:
    """A predictor that hands out the truth of each sample in turn."""
    targets = iter([sample.read().target for sample in samples])

    def predict(_: NDArray[np.uint8]) -> NDArray[np.float32]:
        return next(targets)

    return predict


def constant(_: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.full((8, 10), 0.5, np.float32)


def missing(figures: Score) -> set[str]:
    return {name for name, value in asdict(figures).items() if np.isnan(value)}


def test_every_figure_has_a_label() -> None:
    assert set(LABELS) == {field.name for field in fields(Score)} - {"pictures"}


def test_perfect_predictions_of_a_video(tmp_path: Path) -> None:
    samples = write_set(tmp_path, (20, "a"), (20, "a"), (21, "a"))
    figures = score(truths(samples), samples, video=True)
    assert missing(figures) == set()
    assert figures.pictures == 3
    for name in sorted(ERRORS | {"dbe_acc_px", "dbe_comp_px", "flicker"}):
        assert getattr(figures, name) == pytest.approx(0, abs=1e-6), name
    for name in ("delta1", "delta2", "delta3", "pair_order", "ssim", "boundary_f1"):
        assert getattr(figures, name) == pytest.approx(1, abs=1e-6), name
    assert figures.edge_ratio > 10
    assert figures.psnr_db > 100


def test_figures_are_means_over_pictures(tmp_path: Path) -> None:
    samples = write_set(tmp_path, (10, "a"), (30, "b"))
    perfect, blind = score(truths(samples), samples), score(constant, samples)
    assert blind.rmse_m > 0.5
    half_blind = iter([samples[0].read().target, constant(np.zeros(0, np.uint8))])
    mixed = score(lambda _: next(half_blind), samples)
    assert mixed.rmse_m == pytest.approx((perfect.rmse_m + blind.rmse_m) / 2)
    assert mixed.boundary_f1 == pytest.approx(0.5)
    assert mixed.dbe_comp_px == pytest.approx(5.0)


def test_only_what_a_set_can_give_is_scored(tmp_path: Path) -> None:
    places = (20, "a"), (20, "a"), (20, "b")
    samples = write_set(tmp_path / "metric", *places)
    assert missing(score(truths(samples), samples)) == VIDEO_ONLY
    samples = write_set(tmp_path / "relative", *places, kind="disparity")
    assert missing(score(truths(samples), samples)) == METRIC_ONLY | VIDEO_ONLY
    assert missing(score(truths(samples), samples, video=True)) == METRIC_ONLY | {"opw_m"}
    assert missing(score(constant, [])) == set(LABELS)


def test_frames_of_two_sequences_are_not_consecutive(tmp_path: Path) -> None:
    samples = write_set(tmp_path, (20, "a"), (20, "b"), (20, "a"))
    assert missing(score(truths(samples), samples, video=True)) == VIDEO_ONLY


@pytest.mark.parametrize(("runtime", "called"), [("torch", "PyTorch, float32"), ("openvino", "OpenVINO")])
def test_command_prints_a_table_and_writes_json(
    tmp_path: Path, random_model: Path, capsys: pytest.CaptureFixture[str], runtime: Runtime, called: str
) -> None:
    write_set(tmp_path, (20, "a"), (24, "a"))
    out = tmp_path / "score.json"
    run_evaluation(EvaluationRequest((tmp_path / "set.csv",), str(random_model), runtime=runtime, output=out))
    printed = capsys.readouterr().out
    assert "2 pictures" in printed
    assert "AbsRel" in printed
    assert "flicker" not in printed

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    result = json.loads(out.read_text(encoding="utf-8"), parse_constant=refuse)
    assert {"data", "model", "quality", "pictures", "weights_sha256", "commit", runtime, *LABELS} <= set(result)
    assert called in result["engine"]
    assert (result["data"], result["quality"], result["pictures"]) == ("set", "fast", 2)
    assert result["flicker"] is None
    assert f"{result['abs_rel']:.4f}" in printed


def test_validation_is_scored_by_source(tmp_path: Path, random_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path, *((10 + i, f"s{i}") for i in range(20)))
    out = tmp_path / "score.json"
    run_evaluation(EvaluationRequest((tmp_path / "set.csv",), str(random_model), validation=True, output=out))
    assert "set (validation)" in capsys.readouterr().out
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["sources"]["mine"]["pictures"] == 1  # the last 5 %
    assert "abs_rel" not in result


def test_sets_without_validation_are_refused(tmp_path: Path, random_model: Path) -> None:
    write_set(tmp_path, (20, "a"))
    with pytest.raises(InputError, match="leave --validation out"):
        run_evaluation(EvaluationRequest((tmp_path / "set.csv",), str(random_model), validation=True))


def test_sweep_scores_worse_pictures_too(
    tmp_path: Path, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path, (20, "a"))
    out = tmp_path / "score.json"
    run_evaluation(EvaluationRequest((tmp_path / "set.csv",), str(random_model), sweep=True, output=out))
    printed = capsys.readouterr().out
    result = json.loads(out.read_text(encoding="utf-8"))
    assert set(result["sweep"]) == set(DISTURBANCES)
    assert f"{result['sweep']['JPEG 10']['all']['pair_order']:.3f}" in printed
    assert result["sweep"]["noise 0.1"]["all"]["abs_rel"] != result["abs_rel"]


def test_disturbances_by_hand() -> None:
    grey = np.full((40, 320, 3), 64, np.uint8)
    assert with_gamma(grey, 0.5)[0, 0, 0] == round(255 * (64 / 255) ** 0.5)
    noise = with_noise(grey, 0.05).astype(float) - 64
    assert noise.std() == pytest.approx(0.05 * 255, rel=0.03)
    point = np.zeros((41, 321, 3), np.uint8)
    point[20, 160] = 255
    profile = with_blur(np.repeat(point[20:21], 41, axis=0), 2.0)[20, :, 0].astype(float)
    x = np.arange(321) - 160
    assert np.sqrt((profile * x**2).sum() / profile.sum()) == pytest.approx(2.0, rel=0.1)
    rough = np.random.default_rng(0).integers(0, 256, (40, 320, 3), np.uint8)
    errors = [np.abs(with_jpeg(rough, quality).astype(int) - rough).mean() for quality in (90, 40, 10)]
    assert errors == sorted(errors)
    assert with_jpeg(np.full((16, 16, 3), (200, 30, 60), np.uint8), 90)[8, 8] == pytest.approx([200, 30, 60], abs=4)
