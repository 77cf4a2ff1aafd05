"""What `pullfocus evaluate` does: the figures of a net on RGB-D sets, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from rich.console import Console

from ..engines.atomic import check_target, write_text
from ..engines.build import Runtime
from ..engines.checkpoint import locate
from ..engines.environment import environment
from ..engines.openvino_engine import OpenVinoEngine
from ..kernels.api import Quality
from .data import open_set
from .predict import Predict, load_predictor
from .scoring import Score, score


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What the user asked for."""

    data: tuple[Path, ...]
    model: str = "resnet18"
    quality: Quality = "fast"
    runtime: Runtime = "torch"
    video: bool = False
    output: Path | None = None
    overwrite: bool = False


def run_evaluation(request: EvaluationRequest) -> None:
    """Score the net on the pictures of all sets. Raises InputError, DataError, CheckpointError, OutputError."""
    if request.output is not None:
        check_target(request.output, request.overwrite)
    samples = [sample for path in request.data for sample in open_set(path, "test")]
    predict, detail = _predictor(request)
    figures = score(predict, samples, video=request.video)
    console = Console()
    names = ", ".join(path.stem for path in request.data)
    console.print(f"{request.model}, {request.quality}, {detail}, on {names}", highlight=False)
    console.print(figures)
    if request.output is not None:
        write_text(request.output, json.dumps(_facts(request, detail, figures), indent=1, ensure_ascii=False) + "\n")


def _predictor(request: EvaluationRequest) -> tuple[Predict, str]:
    """What predicts, and how: the engine in use on a CPU may compute in int8."""
    if request.runtime == "openvino":
        engine = OpenVinoEngine(locate(request.model), request.quality)
        return engine.infer, engine.detail
    return load_predictor(request.model, request.quality), "PyTorch, float32"


def _facts(request: EvaluationRequest, detail: str, figures: Score) -> dict[str, object]:
    """What was scored, the figures, and what they were made with."""
    asked = {
        "data": ", ".join(path.stem for path in request.data),
        "model": request.model,
        "quality": request.quality,
        "engine": detail,
    }
    # JSON knows no NaN: a figure that the sets cannot give is null.
    known = {name: value if np.isfinite(value) else None for name, value in asdict(figures).items()}
    weights = sha256(locate(request.model).read_bytes()).hexdigest()
    return {**asked, **known, "weights_sha256": weights, **environment(request.runtime)}
