"""What `pullfocus figure` does: the report's figures of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..engines.atomic import check_target, make_folder
from ..kernels.api import InverseDepth, Picture, load
from ..kernels.errors import InputError
from .data import DataError, read_rgb
from .data.pictures import read_millimetres
from .figures import FIGURES, Scene, write_figures
from .predict import load_predictor


@dataclass(frozen=True, slots=True)
class FigureRequest:
    """What the user asked for. Raises InputError."""

    picture: Path
    out: Path
    models: tuple[str, ...] = ("resnet18",)
    truth: Path | None = None
    layers: int = 5
    focus: int = 1
    aperture: float = 7.0
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.layers <= 16:
            raise InputError(f"--layers: got {self.layers}, expected 2 to 16")
        if not 1 <= self.focus <= self.layers:
            raise InputError(f"--focus: got layer {self.focus}, expected 1 to {self.layers}")


def run_figures(request: FigureRequest) -> None:
    """Write all figures into `request.out`. Raises InputError, DataError, CheckpointError, OutputError."""
    make_folder(request.out)
    for name in FIGURES:
        check_target(request.out / f"{name}.png", request.overwrite)
    picture = read_rgb(request.picture)
    truth = _read_truth(request.truth, picture) if request.truth is not None else None
    resize, size_hw = load("cpu").resize, (picture.shape[0], picture.shape[1])
    predictions = {model: resize(load_predictor(model)(picture), size_hw) for model in request.models}
    scene = Scene(picture, predictions, truth, request.layers, request.focus, request.aperture)
    for path in write_figures(scene, request.out):
        print(f"wrote {path}")


def _read_truth(path: Path, picture: Picture) -> InverseDepth:
    try:
        truth = read_millimetres(path)
    except DataError as error:
        raise InputError(f"--truth {path}: expected a 16-bit grey PNG in mm") from error
    if truth.shape != picture.shape[:2]:
        raise InputError(f"--truth {path}: got {truth.shape[1]}×{truth.shape[0]}, expected the picture's size")
    return truth
