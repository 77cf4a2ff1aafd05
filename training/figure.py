"""What `pullfocus figure` does: the report's figures of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..engines.atomic import check_target, make_folder
from ..kernels.api import InverseDepth, Picture
from ..kernels.errors import InputError
from .data import read_rgb
from .figures import FIGURES, Scene, same_size, write_figures
from .predict import load_predictor

NEAREST_MM = 500.0


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
    predictions = {model: same_size(load_predictor(model)(picture), picture) for model in request.models}
    scene = Scene(picture, predictions, truth, request.layers, request.focus, request.aperture)
    for path in write_figures(scene, request.out):
        print(f"wrote {path}")


def _read_truth(path: Path, picture: Picture) -> InverseDepth:
    depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if depth is None or depth.ndim != 2 or depth.dtype != np.uint16:
        raise InputError(f"--truth {path}: expected a 16-bit grey PNG in mm")
    if depth.shape != picture.shape[:2]:
        raise InputError(f"--truth {path}: got {depth.shape[1]}×{depth.shape[0]}, expected the picture's size")
    metres = depth.astype(np.float32)
    return np.where(metres > 0, np.minimum(NEAREST_MM / np.maximum(metres, 1.0), 1.0), np.nan).astype(np.float32)
