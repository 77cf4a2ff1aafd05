"""What `pullfocus train` does: data in, a run's folder out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from rich.console import Console

from ..engines import checkpoint
from ..engines.atomic import make_folder
from ..engines.network import DepthNet
from ..engines.torch_engine import filled
from ..kernels.errors import InputError
from .config import Config, read_recipe
from .data import Sample, evenly, open_labelled, split_validation
from .initial import load_encoder
from .losses import use_disparity
from .process import Process, joined
from .trainer import CONFIG, STATE, Trainer
from .variants import VariantNet


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What the user asked for."""

    data: tuple[Path, ...]
    out: Path
    recipe: str = "best"
    changes: tuple[str, ...] = ()
    encoder_weights: Path | None = None
    start: Path | None = None
    resume: bool = False


def run_training(request: TrainingRequest) -> None:
    """Train, or go on. Raises InputError, DataError, CheckpointError, OutputError."""
    config = Config.load(request.out / CONFIG) if request.resume else read_recipe(request.recipe, request.changes)
    if not request.resume and (request.out / STATE).exists():
        raise InputError(f"{request.out} holds a run; pass --resume to go on with it, or choose another folder")
    samples = open_labelled(request.data, thorough=True)
    cv2.setNumThreads(1)  # the loader's threads already share the cores with torch
    with joined() as process:
        _run(request, config, _usable(samples, config, process), process)


def _run(request: TrainingRequest, config: Config, samples: Sequence[Sample], process: Process) -> None:
    if config.net.output != checkpoint.INVERSE_DEPTH and (config.pairs or "defocus" in config.losses):
        raise InputError(f"pairs and defocus need a net of inverse depth; got net.output={config.net.output}")
    if config.batch % process.world:
        raise InputError(f"batch: got {config.batch}, expected a multiple of the {process.world} processes")
    training, validation = split_validation(samples)
    if not training:
        raise InputError(f"got only the {len(validation)} pictures that are held back for validation; expected others")
    training = evenly(training, config.part_of(len(training)))
    torch.manual_seed(config.seed)  # of a new net's weights
    net = VariantNet(config.net) if request.resume else _first_net(config, request)
    make_folder(request.out)
    trainer = Trainer(config, net, training, validation, request.out, process)
    if request.resume:
        trainer.resume()
    elif process.leads:
        config.save(request.out / CONFIG)
    if process.leads:
        Console(stderr=True).print(f"{len(training)} pictures to train on, {len(validation)} to validate with")
    trainer.run()


def _usable(samples: Sequence[Sample], config: Config, process: Process) -> Sequence[Sample]:
    """Without a term that a disparity can train, disparity sets are left out, and that is said."""
    if use_disparity(config.losses):
        return samples
    metric = [sample for sample in samples if sample.kind == "metric"]
    if not metric:
        raise InputError(f"got no metric pictures; {', '.join(config.losses)} needs some")
    if process.leads and len(metric) < len(samples):
        Console(stderr=True).print(f"left out: {len(samples) - len(metric)} disparity pictures, which no term can use")
    return metric


def _first_net(config: Config, request: TrainingRequest) -> DepthNet:
    if request.start is not None:
        return _net_to_go_on_from(request.start, config)
    net = VariantNet(config.net)
    if request.encoder_weights is not None:
        load_encoder(net, request.encoder_weights)
    return net


def _net_to_go_on_from(path: Path, config: Config) -> DepthNet:
    saved, encoder = checkpoint.load(path, any_net=True), config.net.encoder
    if saved.encoder != encoder:
        raise InputError(
            f"--start {path}: holds a {saved.encoder}, not a {encoder}; pass --set net.encoder={saved.encoder}"
        )
    return filled(VariantNet(config.net), saved, path)
