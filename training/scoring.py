"""The figures of a depth net over a set of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from ..engines.interrupts import check_interrupts
from .data import Pair, Sample
from .metrics import (
    Frame,
    accuracy,
    boundary_error,
    boundary_f1,
    edge_ratio,
    flicker,
    opw,
    pair_order,
    picture_quality,
)

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
NAN = float("nan")
# How the figures are called in print, and which way is better.
LABELS = {
    "abs_rel": "AbsRel ↓",
    "sq_rel_m": "SqRel, m ↓",
    "rmse_m": "RMSE, m ↓",
    "rmse_log": "RMSE of log ↓",
    "log10": "log10 ↓",
    "delta1": "δ1 ↑",
    "delta2": "δ2 ↑",
    "delta3": "δ3 ↑",
    "pair_order": "pair order ↑",
    "mse": "MSE ↓",
    "psnr_db": "PSNR, dB ↑",
    "ssim": "SSIM ↑",
    "edge_ratio": "edge ratio ↑",
    "dbe_acc_px": "edge error (accuracy), px ↓",
    "dbe_comp_px": "edge error (completeness), px ↓",
    "boundary_f1": "boundary F1 ↑",
    "flicker": "flicker ↓",
    "opw_m": "warping error (OPW), m ↓",
}


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the pictures that can give a figure; NaN when none can.

    What compares depths in metres is over metric pictures only. The edge figures and the pair order are over all:
    they take the disparity of a picture without metres for its inverse depth. flicker and opw_m are over pairs of
    consecutive frames, of videos only. The functions of `metrics` say what each figure is.
    """

    pictures: int
    abs_rel: float
    rmse_m: float
    delta1: float
    pair_order: float
    sq_rel_m: float = NAN
    rmse_log: float = NAN
    log10: float = NAN
    delta2: float = NAN
    delta3: float = NAN
    mse: float = NAN
    psnr_db: float = NAN
    ssim: float = NAN
    edge_ratio: float = NAN
    dbe_acc_px: float = NAN
    dbe_comp_px: float = NAN
    boundary_f1: float = NAN
    flicker: float = NAN
    opw_m: float = NAN

    def as_json(self) -> dict[str, float | None]:
        """The figures by name."""
        return json_figures(asdict(self))


def json_figures(figures: Mapping[str, float]) -> dict[str, float | None]:
    """`figures` as JSON can say them. It knows no NaN: one that the pictures cannot give is None."""
    return {name: value if np.isfinite(value) else None for name, value in figures.items()}


def score_table(scores: Mapping[str, Score]) -> Table:
    """The figures that there are; a column for each group of pictures."""
    heads = (f"{name}\n{score.pictures} pictures" for name, score in scores.items())
    table = Table("mean over", *heads, box=None)
    for name, label in LABELS.items():
        values = [getattr(score, name) for score in scores.values()]
        if not np.isnan(values).all():
            table.add_row(label, *("–" if np.isnan(value) else f"{value:.4f}" for value in values))
    return table


def score(predict: Predict, samples: Sequence[Sample], *, video: bool = False) -> Score:
    """Mean figures over `samples`.

    With `video`, neighbouring samples of one sequence and size are consecutive frames. Raises KeyboardInterrupt between
    two pictures where a block of `Interrupts` puts Ctrl-C off.
    """
    rng = np.random.default_rng(0)
    figures: list[dict[str, float]] = []
    before: tuple[tuple[str, int, int], Frame] | None = None
    for sample in samples:
        check_interrupts()
        pair = sample.read()
        prediction = full_size(predict, pair)
        figures.append(_picture_figures(prediction, pair, rng))
        if video:
            frame, shot = Frame(pair.image, prediction, pair.target), (sample.sequence, *pair.target.shape)
            if before is not None and before[0] == shot:
                figures.append({"flicker": flicker(frame, before[1])})
                if pair.metric:
                    figures.append({"opw_m": opw(frame, before[1])})
            before = shot, frame
    return Score(len(samples), **{name: known_mean([f.get(name, NAN) for f in figures]) for name in LABELS})


def full_size(predict: Predict, pair: Pair) -> NDArray[np.float32]:
    """The prediction for `pair`, resized bilinearly to the truth's size, `h w`."""
    height, width = pair.target.shape
    return np.asarray(cv2.resize(predict(pair.image), (width, height)), np.float32)


def _picture_figures(prediction: NDArray[np.float32], pair: Pair, rng: np.random.Generator) -> dict[str, float]:
    """Figures of one picture by the names of Score."""
    figures = {
        "pair_order": pair_order(prediction, pair.target, rng),
        "edge_ratio": edge_ratio(prediction, pair.target),
        "boundary_f1": boundary_f1(prediction, pair.target),
        **asdict(boundary_error(prediction, pair.target)),
    }
    if pair.metric:
        figures |= asdict(accuracy(prediction, pair.target)) | asdict(picture_quality(prediction, pair.target))
    return figures


def known_mean(values: Sequence[float]) -> float:
    """The mean of those that are known; NaN when none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else NAN
