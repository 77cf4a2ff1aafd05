"""Score a depth net on RGB-D sets: `python -m pullfocus.training.evaluate CSV --model resnet18`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

from ..engines.checkpoint import locate
from ..engines.shape import MEAN, STD, net_size
from ..engines.torch_engine import load_net
from .metrics import accuracy, pair_order
from .pairs import Row, load_pair, read_rows

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Score:
    """Means over pictures; the accuracy figures are over metric pictures only."""

    pictures: int
    abs_rel: float
    rmse_m: float
    delta1: float
    pair_order: float


def predictor(net: torch.nn.Module, quality: str = "fast") -> Predict:
    """A function from `h w 3` uint8 RGB to `h' w'` inverse depth at the net's own size, on the CPU or GPU."""
    device = next(net.parameters()).device
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))

    @torch.inference_mode()
    def predict(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        h, w = net_size(image.shape[0], image.shape[1], quality)
        small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy(small).to(device).permute(2, 0, 1)[None].float() / 255.0
        return net((x - mean) / std)[0, 0].float().cpu().numpy()

    return predict


def score_rows(net: torch.nn.Module, rows: Sequence[Row], quality: str = "fast") -> Score:
    """Mean figures of `net` over `rows`; the net is left in eval mode."""
    return score_predictor(predictor(net.eval(), quality), rows)


def score_predictor(predict: Predict, rows: Sequence[Row]) -> Score:
    """Mean figures over `rows`: the prediction is resized bilinearly to the truth's size."""
    rng = np.random.default_rng(0)
    figures: list[tuple[float, float, float]] = []
    orders: list[float] = []
    for row in rows:
        pair = load_pair(row)
        height, width = pair.target.shape
        prediction = np.asarray(cv2.resize(predict(pair.image), (width, height)), np.float32)
        orders.append(pair_order(prediction, pair.target, rng))
        if pair.metric:
            a = accuracy(prediction, pair.target)
            figures.append((a.abs_rel, a.rmse_m, a.delta1))
    means = np.mean(figures, axis=0) if figures else np.full(3, np.nan)
    return Score(len(rows), float(means[0]), float(means[1]), float(means[2]), float(np.nanmean(orders)))


def main(
    data: Annotated[Path, typer.Argument(help="csv of an RGB-D set")],
    model: Annotated[str, typer.Option(help="shipped net or weight file")] = "resnet18",
    quality: Annotated[str, typer.Option(help="fast (short side 192 px) or fine (256 px)")] = "fast",
    output: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
) -> None:
    """Print the accuracy of a depth net on an RGB-D set."""
    score = score_rows(load_net(locate(model)), read_rows(data), quality)
    text = json.dumps({"data": data.stem, "model": model, "quality": quality, **asdict(score)}, indent=1)
    print(text)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
