"""Studies: many short nets, one difference each."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import cv2
import pytest
import torch
from pullfocus.engines.interrupts import Interrupts, StoppedError
from pullfocus.engines.network import DepthNet
from pullfocus.kernels.errors import InputError
from pullfocus.training import study as study_module
from pullfocus.training.data import open_set
from pullfocus.training.study import Lab, main, read_study
from pullfocus.training.trials import Trial, Trials
from safetensors.torch import save_file

from .sets import write_set

SHIPPED = Path(__file__).parents[1] / "training" / "studies" / "ablation.toml"
STUDY = """
recipe = "best"
steps = 2
seeds = 2
base = ["epochs=1", "sizes=[{height=64,width=64}]", "batch=2", "small_share=0.0"]
[rows]
plain = []
attention = ["net.attention=true"]
"""

pytestmark = pytest.mark.usefixtures("one_thread", "no_curves")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "encoder.safetensors"
    save_file({key: value.contiguous() for key, value in DepthNet().encoder.state_dict().items()}, path)
    return path


@pytest.fixture
def study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(study_module, "PROBE_STEPS", 1)
    monkeypatch.setattr(cv2, "setNumThreads", Mock())
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def test_the_shipped_study_is_valid_and_its_first_row_is_the_base() -> None:
    study = read_study(SHIPPED)
    assert study.rows[study.plain] == []
    assert study.seeds == 2
    assert study.config("attention at the bottleneck", 1, 10).net.attention
    assert study.config("ResNet-50", 1, 10).seed == 1


def test_a_study_is_trained_once_and_goes_on(
    tmp_path: Path, study_file: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, output = write_set(tmp_path, 20), tmp_path / "table.json"
    request = (study_file, [data], [f"resnet18={weights}"], tmp_path / "out", output)
    main(*request, only=["plain"], seeds=[1])
    assert [(t.row, t.seed, t.steps) for t in Trials.read(output).trials] == [("plain", 1, 2)]
    main(*request, only=["plain"])
    assert [(t.row, t.seed, t.steps) for t in Trials.read(output).trials] == [("plain", 0, 2), ("plain", 1, 2)]
    main(*request)
    trials = Trials.read(output).trials
    assert {(t.row, t.seed) for t in trials} == {(row, seed) for row in ("plain", "attention") for seed in (0, 1)}
    assert trials[0].sources["mine"]["pictures"] == 1
    assert len(json.loads(output.read_text(encoding="utf-8"))["environments"]) == 1
    assert not list((tmp_path / "out").rglob("state.pt"))

    def refuse(*_: object) -> Trial:
        raise AssertionError("trained again")

    monkeypatch.setattr(Lab, "trial", refuse)
    main(*request)


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    tmp_path: Path, study_file: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: Interrupts) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Interrupts, "check", stop)
    output = tmp_path / "table.json"
    with pytest.raises(StoppedError, match="goes on with the next"):
        main(study_file, [write_set(tmp_path, 20)], [f"resnet18={weights}"], tmp_path / "out", output)
    assert not output.exists()


def test_a_dearer_row_gets_fewer_steps(
    tmp_path: Path, study_file: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"plain": 1.0, "attention": 2.0}

    def cost_s(_: Lab, row: str, _seed: int) -> float:
        return costs[row]

    monkeypatch.setattr(Lab, "_cost_s", cost_s)
    study = read_study(study_file)
    lab = Lab(study, open_set(write_set(tmp_path, 20)), {"resnet18": weights}, tmp_path / "out")
    assert lab.trial("attention", 0).steps == 1
    costs["attention"] = 1.02  # no more than noise
    assert lab.trial("attention", 0).steps == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "cannot read"),
        (STUDY.replace("net.attention=true", "net.attenton=true"), "attenton"),
        (STUDY.replace("seeds = 2", "seeds = 0"), "cannot read"),
    ],
)
def test_a_wrong_study_is_one_line(study_file: Path, text: str, words: str) -> None:
    study_file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_study(study_file)
    assert "\n" not in str(caught.value)


def test_a_seed_beyond_the_studys_is_said(tmp_path: Path, study_file: Path, weights: Path) -> None:
    with pytest.raises(InputError, match="--seed: got 7; expected 0 to 1"):
        main(study_file, [], [f"resnet18={weights}"], tmp_path, tmp_path / "table.json", seeds=[7])


def test_unknown_rows_and_missing_weights_are_said(tmp_path: Path, study_file: Path, weights: Path) -> None:
    data = write_set(tmp_path, 20)
    with pytest.raises(InputError, match="--row: got nothing_such"):
        main(study_file, [data], [f"resnet18={weights}"], tmp_path / "o", tmp_path / "t.json", ["nothing_such"])
    with pytest.raises(InputError, match="resnet18=FILE"):
        main(study_file, [data], [f"resnet50={weights}"], tmp_path / "o", tmp_path / "t.json")
    with pytest.raises(InputError, match="expected ENCODER=FILE"):
        main(study_file, [data], [str(weights)], tmp_path / "o", tmp_path / "t.json")
