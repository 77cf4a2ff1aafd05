"""What `pullfocus analyse` does: the report's analysis of a net over a set, as figures and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..engines.atomic import check_target, make_folder, write_text, written_aside
from ..engines.environment import environment
from ..kernels.errors import InputError
from . import analysis
from .analysis import Case, Figures
from .data import Sample, evenly, open_set
from .evaluate import validation_groups
from .predict import load_predictor
from .scoring import json_figures

NUMBERS = "analysis.json"
LAYERS, SMOOTHING, OCCLUSION, FAILURES = "layers.png", "smoothing.png", "occlusion.png", "failures.png"
FAILURES_SHOWN = 6
LEAST_SPAN = 0.01


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """What the user asked for. `pictures`: at most so many, evenly out of all."""

    data: tuple[Path, ...]
    out: Path
    model: str = "resnet18"
    validation: bool = False
    pictures: int = 100
    overwrite: bool = False


def run_analysis(request: AnalysisRequest) -> None:
    """Write four figures and their numbers. Raises InputError, DataError, CheckpointError, OutputError."""
    make_folder(request.out)
    for name in (NUMBERS, LAYERS, SMOOTHING, OCCLUSION, FAILURES):
        check_target(request.out / name, request.overwrite)
    cases = analysis.predict_all(load_predictor(request.model), _chosen(request))
    layers, filters = analysis.by_layer_count(cases), analysis.by_filter(cases)
    scenes, worst = analysis.by_occlusion(cases), analysis.failures(cases, FAILURES_SHOWN)
    _write(request.out / LAYERS, _draw_layers(layers))
    _write(request.out / SMOOTHING, _draw_smoothing(filters))
    _write(request.out / OCCLUSION, _draw_occlusion(scenes))
    _write(request.out / FAILURES, _draw_failures(worst))
    numbers = {
        "data": ", ".join(path.stem for path in request.data) + (" (validation)" if request.validation else ""),
        "model": request.model,
        "pictures": len(cases),
        "layers": {str(count): json_figures(figures) for count, figures in layers.items()},
        "smoothing": {name: json_figures(figures) for name, figures in filters.items()},
        "occlusion": {name: json_figures(figures) for name, figures in scenes.items()},
        "failures": {case.name: json_figures(case.figures) for case in worst},
        **environment("torch", "scikit-learn"),
    }
    write_text(request.out / NUMBERS, json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {request.out / NUMBERS} and four figures, over {len(cases)} pictures")


def _chosen(request: AnalysisRequest) -> Sequence[Sample]:
    if request.validation:
        groups = validation_groups([sample for path in request.data for sample in open_set(path)])
        samples = [sample for group in groups.values() for sample in group]
    else:
        samples = [sample for path in request.data for sample in open_set(path, "test")]
    samples = [sample for sample in samples if sample.kind == "metric"]
    if not samples:
        raise InputError("got no pictures with metric depth; expected some to compare with")
    return evenly(samples, min(request.pictures, len(samples)))


def _write(path: Path, figure: Figure) -> None:
    with written_aside(path) as aside:
        figure.savefig(aside, dpi=120)


def _draw_layers(layers: Mapping[int, Figures]) -> Figure:
    """What more layers bring."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    counts = list(layers)
    left.plot(counts, [100.0 * layers[k]["variance_kept"] for k in counts], marker="o")
    left.set(title="inverse depth kept by K layers", xlabel="K", ylabel="% of its variance")
    right.plot(counts, [layers[k]["psnr_db"] for k in counts], marker="o", color="tab:orange")
    title = f"refocused picture against {analysis.REFERENCE_LAYERS} layers"
    right.set(title=title, xlabel="K", ylabel="PSNR, dB")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def _draw_smoothing(filters: Mapping[str, Figures]) -> Figure:
    """What each filter does to accuracy and to edges, by its size; 0 = none."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    shown = {"delta1": ("accuracy", "δ1"), "edge_ratio": ("edges", "edge ratio")}
    for axes, (key, (title, label)) in zip(figure.subplots(1, 2), shown.items()):
        for kind in ("median", "gaussian"):
            points = [(px, filters[name][key]) for name, (of, px) in analysis.FILTERS.items() if of in (kind, "none")]
            axes.plot(*zip(*points), marker="o", label=kind)
        low, high = axes.get_ylim()
        middle, half = (low + high) / 2, max((high - low) / 2, LEAST_SPAN)  # differences below that say nothing
        axes.set(title=title, xlabel="size, px", ylabel=label, ylim=(middle - half, middle + half))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def _draw_occlusion(scenes: Mapping[str, Figures]) -> Figure:
    """Plain scenes against those full of depth edges."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    shown = {"delta1": "δ1", "pair_order": "pair order", "boundary_f1": "boundary F1"}
    for axes, (key, title) in zip(figure.subplots(1, len(shown)), shown.items()):
        axes.bar(list(scenes), [values[key] for values in scenes.values()], width=0.6)
        axes.set(title=title, ylim=(0.0, 1.0))
    return figure


def _draw_failures(worst: Sequence[Case]) -> Figure:
    """Picture, truth, prediction and error of each, worst first."""
    figure = Figure(figsize=(11, 2.2 * len(worst)), layout="constrained")
    for row, case in enumerate(worst):
        truth = case.pair.target
        panels = (case.pair.image, truth, analysis.align(case.prediction, truth), analysis.error_map(case))
        titles = (case.name, "measured", f"predicted: order {case.figures['pair_order']:.2f}", "error")
        for column, (panel, title) in enumerate(zip(panels, titles)):
            axes = figure.add_subplot(len(worst), 4, 4 * row + column + 1)
            if panel.ndim == 3:
                axes.imshow(panel)
            else:
                axes.imshow(panel, cmap="turbo", vmin=0.0, vmax=float(np.nanmax(truth)))
            axes.set_title(title, fontsize=7)
            axes.set_axis_off()
    return figure
