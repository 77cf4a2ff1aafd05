"""Small runs of training, and what they leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pullfocus.engines.checkpoint import load
from pullfocus.training.train import TrainingRequest, run_training

from .sets import write_set

# Each epoch writes 130 MB of state: a run has no more of them than its test asks for.
TINY = (
    "sizes=[{height=64,width=64}]",
    "batch=2",
    "epochs=1",
    "steps_per_epoch=2",
    "small_share=0.0",
    "optimiser.warmup_steps=1",
)
FILES = ["config.json", "curves.png", "epochs.csv", "resnet18.safetensors", "state.pt"]


def train(folder: Path, out: str = "run", *changes: str, recipe: str = "best", source: str = "mine") -> Path:
    data = write_set(folder, 6, source=source)
    run_training(TrainingRequest((data,), folder / out, recipe, (*TINY, *changes)))
    return folder / out


def weights(run: Path) -> dict[str, np.ndarray]:
    return dict(load(run / "resnet18.safetensors", any_net=True).tensors)
