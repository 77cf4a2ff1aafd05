"""A run that was killed or stopped goes on as if nothing was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pullfocus.engines.interrupts import StoppedError
from pullfocus.training import trainer
from pullfocus.training.run_log import read_log
from pullfocus.training.train import TrainingRequest, run_training

from .command import PULLFOCUS, wait_for
from .sets import write_set
from .training_runs import FILES, TINY, train, weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.usefixtures("no_curves")
def test_resumed_run_is_the_run_that_was_not_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = ("epochs=3", "views.noise=1.0", "losses={log_l1=1.0,virtual_normal=1.0}")
    whole = train(tmp_path, "whole", *changes)
    monkeypatch.setattr(trainer, "SAVE_EVERY_S", 0.0)  # a state after every step
    real_step, taken = trainer.Trainer._train_on, 0  # pyright: ignore[reportPrivateUsage]

    def killed_at_fourth(self: trainer.Trainer, batch: object) -> object:
        nonlocal taken
        taken += 1
        if taken == 4:  # the second of the second epoch
            raise KeyboardInterrupt
        return real_step(self, batch)  # pyright: ignore

    monkeypatch.setattr(trainer.Trainer, "_train_on", killed_at_fourth)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "cut", *changes)
    assert [row["epoch"] for row in read_log(tmp_path / "cut" / "epochs.csv")] == [1]
    torch.manual_seed(1)  # what the process drew before must not matter
    run_training(TrainingRequest((tmp_path / "set.csv",), tmp_path / "cut", resume=True))
    assert taken == 4 + 3  # the fourth step again, and no step twice that was saved
    mine, theirs = weights(tmp_path / "cut"), weights(whole)
    assert all(np.array_equal(mine[key], theirs[key]) for key in theirs)
    assert (tmp_path / "cut" / "epochs.csv").read_text() == (whole / "epochs.csv").read_text()


@pytest.mark.usefixtures("no_curves")
def test_ctrl_c_while_a_run_validates_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = ("epochs=3", "losses={log_l1=1.0}")
    whole = train(tmp_path, "whole", *changes, source="people_teacher")
    real_predictor, real_step, made, taken = trainer.predictor, trainer.Trainer._train_on, 0, 0  # pyright: ignore[reportPrivateUsage]

    def interrupted(*arguments: Any) -> Any:
        nonlocal made
        made += 1
        if made == 2:  # of the second epoch
            os.kill(os.getpid(), signal.SIGINT)
        return real_predictor(*arguments)

    def counted(self: trainer.Trainer, batch: Any) -> Any:
        nonlocal taken
        taken += 1
        return real_step(self, batch)

    monkeypatch.setattr(trainer, "predictor", interrupted)
    monkeypatch.setattr(trainer.Trainer, "_train_on", counted)
    with pytest.raises(StoppedError, match="stopped after step 4 of 6; --resume"):
        train(tmp_path, "cut", *changes, source="people_teacher")
    assert [row["epoch"] for row in read_log(tmp_path / "cut" / "epochs.csv")] == [1]
    run_training(TrainingRequest((tmp_path / "set.csv",), tmp_path / "cut", resume=True))
    assert taken == 6
    mine, theirs = weights(tmp_path / "cut"), weights(whole)
    assert all(np.array_equal(mine[key], theirs[key]) for key in theirs)
    assert (tmp_path / "cut" / "epochs.csv").read_text() == (whole / "epochs.csv").read_text()


def test_ctrl_c_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    data = write_set(tmp_path, 6)
    out = tmp_path / "run"
    command = [str(PULLFOCUS), "train", str(data), "-o", str(out)]
    command += [part for change in (*TINY, "epochs=1000") for part in ("--set", change)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: (out / "state.pt").exists())
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert sorted(p.name for p in out.iterdir()) == FILES
    told = re.search(r"stopped after step (\d+) of 2000; --resume goes on from there\n$", stderr)
    assert told, stderr
    assert torch.load(out / "state.pt", weights_only=True)["step"] == int(told[1])
