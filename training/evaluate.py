"""What `pullfocus evaluate` does: the figures of a net on RGB-D sets, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ..engines.atomic import check_target, write_text
from ..engines.build import Runtime
from ..engines.checkpoint import locate
from ..engines.environment import environment
from ..engines.openvino_engine import OpenVinoEngine
from ..kernels.api import Quality
from ..kernels.errors import InputError
from .data import Sample, open_labelled, split_validation
from .disturb import DISTURBANCES
from .predict import Predict, load_predictor
from .scoring import LABELS, Score, score, score_table

CLEAN = "as they are"
SWEPT = ("delta1", "pair_order", "edge_ratio")


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What the user asked for.

    validation: of training sets, the part that training does not see, source by source. sweep: again and again
    with worse pictures.
    """

    data: tuple[Path, ...]
    model: str = "resnet18"
    quality: Quality = "fast"
    runtime: Runtime = "torch"
    video: bool = False
    validation: bool = False
    sweep: bool = False
    output: Path | None = None
    overwrite: bool = False


def run_evaluation(request: EvaluationRequest) -> None:
    """Score the net on the pictures of all sets. Raises InputError, DataError, CheckpointError, OutputError."""
    if request.output is not None:
        check_target(request.output, request.overwrite)
    groups = _groups(request)
    predict, detail = _predictor(request)
    variations = {CLEAN: predict}
    if request.sweep:
        variations |= {name: _after(change, predict) for name, change in DISTURBANCES.items()}
    scores = {
        name: {group: score(varied, samples, video=request.video) for group, samples in groups.items()}
        for name, varied in variations.items()
    }
    console = Console()
    console.print(f"{request.model}, {request.quality}, {detail}, on {_names(request)}", highlight=False)
    console.print(score_table(scores[CLEAN]))
    if request.sweep:
        console.print(_sweep_table(scores))
    if request.output is not None:
        write_text(request.output, json.dumps(_facts(request, detail, scores), indent=1, ensure_ascii=False) + "\n")


def _names(request: EvaluationRequest) -> str:
    return ", ".join(path.stem for path in request.data) + (" (validation)" if request.validation else "")


def _groups(request: EvaluationRequest) -> dict[str, list[Sample]]:
    """What is scored together: all pictures of test sets; of validation, each source."""
    if not request.validation:
        return {"all": open_labelled(request.data, "test")}
    return validation_groups(open_labelled(request.data))


def validation_groups(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """The held-out samples of training sets by source. Raises InputError when there are none."""
    _, held = split_validation(samples)
    if not held:
        raise InputError("got sets without a part for validation; leave --validation out to score all pictures")
    return {source: [s for s in held if s.source == source] for source in sorted({s.source for s in held})}


def _after(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], predict: Predict) -> Predict:
    return lambda picture: predict(change(picture))


def _sweep_table(scores: Mapping[str, Mapping[str, Score]]) -> Table:
    """The figures of SWEPT against every disturbance, a column for each group."""
    groups = list(scores[CLEAN])
    table = Table("pictures", *(f"{LABELS[name]}\n{group}" for group in groups for name in SWEPT), box=None)
    for disturbance, figures in scores.items():
        values = [getattr(figures[group], name) for group in groups for name in SWEPT]
        table.add_row(disturbance, *(f"{value:.3f}" for value in values))
    return table


def _predictor(request: EvaluationRequest) -> tuple[Predict, str]:
    """What predicts, and how: the engine in use on a CPU may compute in int8."""
    if request.runtime == "openvino":
        engine = OpenVinoEngine(locate(request.model), request.quality)
        return engine.infer, engine.detail
    return load_predictor(request.model, request.quality), "PyTorch, float32"


def _facts(request: EvaluationRequest, detail: str, scores: Mapping[str, Mapping[str, Score]]) -> dict[str, object]:
    """What was scored, the figures, and what they were made with."""
    asked = {"data": _names(request), "model": request.model, "quality": request.quality, "engine": detail}
    figures = {name: {group: s.as_json() for group, s in groups.items()} for name, groups in scores.items()}
    clean = figures.pop(CLEAN)
    found: dict[str, object] = {"sources": clean} if request.validation else dict(clean["all"])
    if request.sweep:
        found["sweep"] = figures
    weights = sha256(locate(request.model).read_bytes()).hexdigest()
    return {**asked, **found, "weights_sha256": weights, **environment(request.runtime)}
