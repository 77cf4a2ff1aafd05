"""`pullfocus train` in small: what a run leaves, that it learns, and that a killed one goes on as if nothing was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pullfocus.engines.checkpoint import load
from pullfocus.engines.torch_engine import load_net
from pullfocus.kernels.errors import CheckpointError, InputError
from pullfocus.training.config import read_recipe
from pullfocus.training.run_log import read_log
from pullfocus.training.train import TrainingRequest, run_training
from pullfocus.training.trainer import learning_rate

from .command import PULLFOCUS, assert_one_line, run
from .sets import write_picture, write_set
from .training_runs import FILES, TINY, train, weights

pytestmark = pytest.mark.usefixtures("one_thread")


def test_run_leaves_config_log_curves_weights_and_state(tmp_path: Path) -> None:
    out = train(tmp_path, "run", "epochs=2", source="people_teacher")  # of which every fifth clip is validation
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert json.loads((out / "config.json").read_text())["epochs"] == 2
    rows = read_log(out / "epochs.csv")
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 2), (2, 4)]
    wanted = {"train_total", "train_affine", "validation_loss", "validation_mse", "validation_psnr_db"}
    assert wanted | {"validation_delta1", "validation_pair_order"} <= rows[0].keys()
    picture = cv2.imread(str(out / "curves.png"))
    assert picture is not None
    assert picture.std() > 5
    net = load_net(out / "resnet18.safetensors")
    assert bool(torch.isfinite(net(torch.zeros(1, 3, 64, 64))).all())


@pytest.mark.usefixtures("no_curves")
def test_loss_falls_on_a_few_pictures(tmp_path: Path) -> None:
    changes = ("epochs=3", "steps_per_epoch=8", "optimiser.learning_rate=1e-3", "optimiser.encoder_rate=1.0")
    changes += ("losses={log_l1=1.0}", "batch=6", "views={whole=1.0,mirror=0.0,colours=0.0,blur=0.0,noise=0.0}")
    losses = [row["train_total"] for row in read_log(train(tmp_path, "run", *changes) / "epochs.csv")]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.usefixtures("no_curves")
def test_same_seed_same_weights(tmp_path: Path) -> None:
    first, again, other = (
        weights(train(tmp_path, name, f"seed={seed}")) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


@pytest.mark.usefixtures("no_curves")
def test_encoder_may_learn_more_slowly(tmp_path: Path) -> None:
    def moved(rate: float) -> float:
        first = weights(train(tmp_path, f"{rate}-short", f"optimiser.encoder_rate={rate}", "steps_per_epoch=1"))
        last = weights(train(tmp_path, f"{rate}-long", f"optimiser.encoder_rate={rate}", "steps_per_epoch=8"))
        return float(np.abs(last["encoder.layer1.0.conv1.weight"] - first["encoder.layer1.0.conv1.weight"]).mean())

    assert moved(0.01) < 0.2 * moved(1.0)


def test_report_recipe_trains_depth_and_engines_refuse_it(tmp_path: Path) -> None:
    out = train(tmp_path, "run", "shares={other=1.0}", recipe="report", source="people_teacher")
    assert {"train_bce", "validation_psnr_db"} <= read_log(out / "epochs.csv")[0].keys()
    assert_one_line(
        run("image", tmp_path / "set" / "p0.jpg", "-o", tmp_path / "o.png", "--model", out / "resnet18.safetensors"),
        "depth_10m", "expected inverse_depth",
    )  # fmt: skip


@pytest.mark.usefixtures("no_curves")
def test_a_resnet50_stored_as_int8_is_a_start_for_its_like_only(tmp_path: Path) -> None:
    small = train(tmp_path, "small", "net.encoder=resnet50", "net.storage=int8") / "resnet50.safetensors"
    assert small.stat().st_size < 14e6
    assert load_net(small).encoder.state_dict()["layer3.5.conv3.weight"].shape == (1024, 256, 1, 1)
    request = TrainingRequest((tmp_path / "set.csv",), tmp_path / "next", "best", TINY, start=small)
    with pytest.raises(InputError, match=r"holds a resnet50, not a resnet18; pass --set net.encoder=resnet50"):
        run_training(request)
    run_training(replace(request, changes=(*TINY, "net.encoder=resnet50")))
    assert load(tmp_path / "next" / "resnet50.safetensors").encoder == "resnet50"


def test_learning_rates_by_hand() -> None:
    best = read_recipe("best", ["epochs=10", "optimiser.learning_rate=1e-3", "optimiser.warmup_steps=4"])
    assert learning_rate(1, best, 100) == pytest.approx(0.25e-3)
    assert learning_rate(501, best, 100) == pytest.approx(0.5e-3)  # half-way down the cosine
    assert learning_rate(1000, best, 100) < 1e-8
    steps = read_recipe("report", ["epochs=6", "optimiser.step_epochs=2", "optimiser.step_factor=0.1"])
    rates = [learning_rate(epoch * 100 + 50, steps, 100) for epoch in range(6)]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5, 1e-6, 1e-6])


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    data = write_set(tmp_path, 3, kind="disparity")
    with pytest.raises(InputError, match="no metric pictures"):
        run_training(TrainingRequest((data,), tmp_path / "run", "report"))
    with pytest.raises(InputError, match=r"cannot read .*config\.json"):
        run_training(TrainingRequest((data,), tmp_path / "none", resume=True))
    out = train(tmp_path)
    with pytest.raises(InputError, match="holds a run; pass --resume"):
        run_training(TrainingRequest((data,), out))
    (out / "state.pt").write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match="cannot go on from it"):
        run_training(TrainingRequest((data,), out, resume=True))
    with pytest.raises(InputError, match="pairs and defocus need a net of inverse depth"):
        train(tmp_path, "depth", "losses.defocus=1.0", recipe="report")
    with pytest.raises(InputError, match="pairs: got no pictures for stereo"):
        train(tmp_path, "lonely", "pairs.stereo=1.0")
    with pytest.raises(InputError, match="pair_count: got 9"):
        train(tmp_path, "many", "pairs.stereo=1.0", "pair_count=9")


def test_two_processes_train_one_net(tmp_path: Path) -> None:
    data = write_set(tmp_path, 6)
    command = [str(Path(sys.executable).parent / "torchrun"), "--standalone", "--nproc-per-node", "2", "--no-python"]
    command += [str(PULLFOCUS), "train", str(data), "-o", str(tmp_path / "run")]
    # What changes which weights take part must agree with how gradients are shared.
    changes = (*TINY, "epochs=2", "optimiser.frozen_stages=2", "optimiser.frozen_norms=true", "net.multi_scale=true")
    command += [part for change in changes for part in ("--set", change)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == FILES
    assert [row["epoch"] for row in read_log(tmp_path / "run" / "epochs.csv")] == [1, 2]
    assert done.stderr.count("pictures to train on") == 1  # one of them talks


def test_pictures_that_cannot_be_trained_on_are_one_line(tmp_path: Path) -> None:
    write_picture(tmp_path / "bare" / "a.jpg", 100)
    assert_one_line(run("train", tmp_path / "bare", "-o", tmp_path / "run"), "1 pictures, none of them with depth")
    held = write_set(tmp_path, 1, "disparity", "people_teacher")
    assert_one_line(run("train", held, "-o", tmp_path / "run"), "only the 1 pictures that are held back")
    assert not (tmp_path / "run").exists()
