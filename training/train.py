"""Train a depth net: `python -m pullfocus.training.train DATA/train.csv --encoder-weights W -o RUN`."""

from __future__ import annotations

import csv
import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..engines import checkpoint
from ..engines.network import DepthNet
from ..engines.shape import MEAN, STD
from ..engines.torch_engine import load_net
from ..kernels.errors import CheckpointError
from .augment import random_view
from .evaluate import Score, score_rows
from .initial import load_encoder
from .losses import total_loss
from .pairs import Pair, Row, load_pair, read_rows, split_validation

NYU = "nyu_labeled_1449"
# How the rest of a batch is shared out, in proportion.
SOURCE_SHARES = {"piv_ist_kinect": 0.20, "middlebury_2003_2006": 0.08, "people_teacher": 0.12}
OTHER_SHARE = 0.05
# Small pictures teach the coarse layout for half the price; the rest of the run sees the size that is used.
SMALL_SIZES_HW = ((128, 160), (128, 224), (160, 128))
SIZES_HW = ((192, 256), (192, 320), (256, 192))
SIZE_SHARES = (0.6, 0.3, 0.1)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides a run; saved beside its weights."""

    data: tuple[str, ...]
    encoder: str = "resnet18"
    steps: int = 4600
    batch: int = 8
    learning_rate: float = 4e-4
    weight_decay: float = 1e-2
    warmup_steps: int = 200
    ema_decay: float = 0.998
    small_share: float = 0.55
    smallest_crop: float = 0.6
    nyu_share: float = 0.55
    colours: float = 1.0
    metric_weight: float = 1.0
    start: str | None = None
    seed: int = 0


class Loader:
    """Random batches for ever: decoded pairs stay in memory, threads crop and colour the next batches."""

    def __init__(self, rows: list[Row], config: Config, workers: int = 2) -> None:
        self._config = config
        self._pool = ThreadPoolExecutor(workers)
        self._pairs: list[Pair] = list(self._pool.map(load_pair, rows))
        self._weights = _sampling_weights(rows, config.nyu_share)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        rng = np.random.default_rng(self._config.seed)
        small_steps = self._config.small_share * self._config.steps
        ahead = [self._submit(rng, SMALL_SIZES_HW) for _ in range(2)]
        for step in itertools.count(len(ahead)):
            ahead.append(self._submit(rng, SMALL_SIZES_HW if step < small_steps else SIZES_HW))
            futures = ahead.pop(0)
            views = [future.result() for future in futures]
            images = torch.from_numpy(np.stack([v[0] for v in views])).permute(0, 3, 1, 2)
            targets = torch.from_numpy(np.stack([v[1] for v in views]))[:, None]
            yield images, targets, torch.tensor([v[2] for v in views])

    def _submit(self, rng: np.random.Generator, sizes_hw: tuple[tuple[int, int], ...]):
        size = sizes_hw[rng.choice(len(sizes_hw), p=SIZE_SHARES)]
        picks = rng.choice(len(self._pairs), size=self._config.batch, p=self._weights)
        return [self._pool.submit(self._view, int(i), size, child) for i, child in zip(picks, rng.spawn(len(picks)))]

    def _view(self, index: int, size_hw: tuple[int, int], rng: np.random.Generator):
        pair = self._pairs[index]
        return *random_view(pair, size_hw, rng, self._config.smallest_crop, self._config.colours), pair.metric


def _sampling_weights(rows: list[Row], nyu_share: float) -> np.ndarray:
    """The probability of each row; a source that is absent leaves its share to the others."""
    rest = (1.0 - nyu_share) / (sum(SOURCE_SHARES.values()) + OTHER_SHARE)
    shares = {NYU: nyu_share, "other": OTHER_SHARE * rest, **{k: v * rest for k, v in SOURCE_SHARES.items()}}
    groups = [row.source if row.source in shares else "other" for row in rows]
    weights = np.array([shares[g] / groups.count(g) for g in groups])
    return weights / weights.sum()


def _learning_rate(step: int, config: Config) -> float:
    warm = min(1.0, (step + 1) / config.warmup_steps)
    return warm * 0.5 * (1.0 + np.cos(np.pi * step / config.steps))


def train(config: Config, encoder_weights: Path | None, out: Path) -> None:
    """Run `config` and leave weights, config and log in `out`. Same seed, same threads: same batches."""
    torch.manual_seed(config.seed)
    cv2.setNumThreads(1)  # the loader's threads already share the cores with torch
    rows = [row for path in config.data for row in read_rows(Path(path))]
    training, validation = split_validation(rows)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(config), indent=1))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = _first_net(config, encoder_weights)
    net = net.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _learning_rate(step, config))
    with Log(out / "log.csv") as log:
        for step, batch in zip(range(1, config.steps + 1), Loader(training, config)):
            terms = _step(net, batch, optimiser, device, config.metric_weight)
            schedule.step()
            average.update_parameters(net)
            if step % 50 == 0:
                log.terms(step, terms)
            if step % 1000 == 0 or step == config.steps:
                _save(average.module, config, step, out)
                log.score(step, score_rows(average.module, validation))


def _first_net(config: Config, encoder_weights: Path | None) -> DepthNet:
    """A finished net to train on, or a new one on ImageNet weights. Raises CheckpointError."""
    if config.start is not None:
        return load_net(Path(config.start))
    if encoder_weights is None:
        raise CheckpointError("expected --encoder-weights for a new net, or --start with a finished one")
    net = DepthNet(config.encoder)
    load_encoder(net, encoder_weights)
    return net


def _step(
    net: DepthNet,
    batch: tuple[Tensor, Tensor, Tensor],
    optimiser: torch.optim.Optimizer,
    device: torch.device,
    metric_weight: float,
) -> dict[str, float]:
    images, targets, metric = (t.to(device, non_blocking=True) for t in batch)
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    x = ((images.float() / 255.0 - mean) / std).contiguous(memory_format=torch.channels_last)
    net.train()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
        prediction = net(x)
    terms = total_loss(prediction.float(), targets, metric, metric_weight)
    optimiser.zero_grad(set_to_none=True)
    terms["total"].backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return {name: float(value.detach()) for name, value in terms.items()}


def _save(net: torch.nn.Module, config: Config, step: int, out: Path) -> None:
    tensors = {
        key: value.detach().float().cpu().numpy()
        for key, value in net.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    notes = {"config": json.dumps(asdict(config)), "step": str(step)}
    checkpoint.store(out / f"{config.encoder}.safetensors", checkpoint.Checkpoint(config.encoder, tensors, notes))


class Log:
    """`log.csv` with one line per report, echoed to the terminal."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file)
        self._csv.writerow(("step", "elapsed_s", "name", "value"))
        self._start_s = time.monotonic()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def terms(self, step: int, terms: dict[str, float]) -> None:
        self._write(step, {f"train/{name}": value for name, value in terms.items()})

    def score(self, step: int, score: Score) -> None:
        self._write(step, {f"validation/{name}": value for name, value in asdict(score).items()})

    def _write(self, step: int, values: dict[str, float]) -> None:
        elapsed_s = time.monotonic() - self._start_s
        self._csv.writerows((step, f"{elapsed_s:.1f}", name, f"{value:.5f}") for name, value in values.items())
        self._file.flush()
        print(f"step {step}  {elapsed_s:.0f} s  " + "  ".join(f"{n} {v:.4f}" for n, v in values.items()), flush=True)


def main(
    data: Annotated[list[Path], typer.Argument(help="csv files of RGB-D sets")],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder of the run")],
    encoder_weights: Annotated[Path | None, typer.Option(help="ImageNet weights of the encoder (safetensors)")] = None,
    start: Annotated[Path | None, typer.Option(help="train this finished net on, instead of a new one")] = None,
    steps: Annotated[int, typer.Option(help="optimiser steps")] = 4600,
    batch: Annotated[int, typer.Option(help="pictures a step")] = 8,
    learning_rate: Annotated[float, typer.Option(help="at the start; it falls to 0 as a cosine")] = 4e-4,
    small_share: Annotated[float, typer.Option(help="share of the run that sees smaller pictures")] = 0.55,
    smallest_crop: Annotated[float, typer.Option(help="smallest crop, as a share of the picture")] = 0.6,
    nyu_share: Annotated[float, typer.Option(help="share of NYU pictures in a batch")] = 0.55,
    colours: Annotated[float, typer.Option(help="strength of the random colours, 0 to 1")] = 1.0,
    metric_weight: Annotated[float, typer.Option(help="weight of the loss in metres (as log inverse depth)")] = 1.0,
    ema_decay: Annotated[float, typer.Option(help="of the running mean of the weights that is saved")] = 0.998,
    seed: Annotated[int, typer.Option(help="random seed")] = 0,
) -> None:
    """Train a depth net on RGB-D sets."""
    config = Config(
        data=tuple(str(path) for path in data),
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        small_share=small_share,
        smallest_crop=smallest_crop,
        nyu_share=nyu_share,
        colours=colours,
        metric_weight=metric_weight,
        ema_decay=ema_decay,
        start=str(start) if start is not None else None,
        seed=seed,
    )
    train(config, encoder_weights, out)


if __name__ == "__main__":
    typer.run(main)
