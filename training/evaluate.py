"""What `pullfocus evaluate` does: the figures of a net on RGB-D sets, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
from rich.console import Console

from ..engines.atomic import check_target, write_text
from ..engines.checkpoint import locate
from ..engines.environment import commit, environment
from ..kernels.api import Quality
from .data import open_set
from .predict import load_predictor
from .scoring import score


def run_evaluation(
    data: Sequence[Path], model: str, quality: Quality, output: Path | None, *, video: bool, overwrite: bool
) -> None:
    """Score `model` on the pictures of all sets. Raises InputError, DataError, CheckpointError, OutputError."""
    if output is not None:
        check_target(output, overwrite)
    samples = [sample for path in data for sample in open_set(path, "test")]
    figures = score(load_predictor(model, quality), samples, video=video)
    console = Console()
    names = ", ".join(path.stem for path in data)
    console.print(f"{model}, {quality}, on {names}", highlight=False)
    console.print(figures)
    if output is not None:
        # JSON knows no NaN: a figure that the sets cannot give is null.
        known = {name: value if np.isfinite(value) else None for name, value in asdict(figures).items()}
        made = {"weights_sha256": sha256(locate(model).read_bytes()).hexdigest(), "commit": commit()}
        facts = {"data": names, "model": model, "quality": quality, **known, **made, **environment("torch")}
        write_text(output, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
