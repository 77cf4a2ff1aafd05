"""The training loop: every step is decided by the config and its number, so a killed run can go on."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..engines import checkpoint
from ..engines.atomic import written_aside
from ..engines.network import DepthNet
from ..kernels.errors import CheckpointError
from .batches import Batch, Batches, whole_picture
from .config import Config, Optimiser
from .data import Sample
from .losses import total_loss
from .predict import UNIT_IN_10_M, Manner, predictor
from .process import Process
from .run_log import RunLog, training_progress
from .scoring import score

STATE, CONFIG = "state.pt", "config.json"
SAVE_EVERY_S = 300.0
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Trainer:
    """One run. `run` may be called again on a new Trainer of the same folder: it goes on from the last state."""

    def __init__(
        self,
        config: Config,
        net: DepthNet,
        training: Sequence[Sample],
        validation: Sequence[Sample],
        out: Path,
        process: Process,
    ) -> None:
        self._config, self._process, self._out = config, process, out
        self._training, self._validation = training, validation
        device = process.device
        self._net = net.to(device).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._shared = process.shared(self._net)
        self._average = AveragedModel(
            self._net, multi_avg_fn=get_ema_multi_avg_fn(config.optimiser.ema_decay), use_buffers=True
        )
        self._optimiser = _make_optimiser(self._net, config.optimiser)
        self._dtype = _dtype(config, device)
        self._scaler = torch.GradScaler(device.type, enabled=self._dtype == torch.float16)
        self._step, self._sums = 0, _Sums()
        self._log = RunLog(out)
        self._steps_per_epoch = config.steps_per_epoch or math.ceil(len(training) / config.batch)

    def run(self) -> None:
        """Train to the last epoch; weights, state and log in the run's folder are whole at any time."""
        process, last = self._process, self._config.epochs * self._steps_per_epoch
        saved_s = time.monotonic()
        with (
            Batches(self._training, self._config, process.device, process.rank, process.world) as batches,
            training_progress(last, self._step, process.leads) as on_step,
        ):
            for batch in batches.steps(self._step + 1, last):
                terms = self._train_on(batch)
                self._sums.add(terms)
                self._step += 1
                on_step(self._step, terms["total"])
                if self._step % self._steps_per_epoch == 0:
                    self._end_epoch()
                elif time.monotonic() - saved_s > SAVE_EVERY_S:
                    self._save_state()
                    saved_s = time.monotonic()

    def _train_on(self, batch: Batch) -> dict[str, Tensor]:
        config, step = self._config, self._step + 1
        # Random triplets of points, too, depend on the step alone.
        torch.manual_seed(int(np.random.SeedSequence((config.seed, step, self._process.rank)).generate_state(1)[0]))
        for group in self._optimiser.param_groups:
            group["lr"] = group["rate"] * learning_rate(step, config, self._steps_per_epoch)
        self._net.train()
        with torch.autocast(self._process.device.type, dtype=self._dtype, enabled=self._dtype != torch.float32):
            prediction = self._shared(batch.normalised())
        target = as_output(batch.target, config.net.output)
        terms = total_loss(config.loss_weights, prediction.float(), target, batch.image, batch.metric)
        self._optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(terms["total"]).backward()
        self._scaler.unscale_(self._optimiser)
        nn.utils.clip_grad_norm_(self._net.parameters(), config.optimiser.clip_norm)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._average.update_parameters(self._net)
        return {name: value.detach() for name, value in terms.items()}

    def _end_epoch(self) -> None:
        epoch = self._step // self._steps_per_epoch
        if self._process.leads:
            net = self.trained
            row = {f"train_{name}": value for name, value in self._sums.means().items()}
            row |= {f"validation_{name}": value for name, value in self._validate(net).items()}
            self._log.add(epoch, self._step, row)
            save_weights(net, self._config, self._step, self._out)
        self._sums = _Sums()
        self._save_state()
        self._process.wait_for_all()

    @property
    def trained(self) -> DepthNet:
        """The running mean of the weights, or the weights themselves where there is none."""
        return cast(DepthNet, self._average.module) if self._config.optimiser.ema_decay else self._net

    def _validate(self, net: DepthNet) -> dict[str, float]:
        if not self._validation:
            return {}
        config = self._config
        # Nets of inverse depth are judged as they will be used, the report's at the report's size.
        fixed = config.net.output != checkpoint.INVERSE_DEPTH
        size_hw = (config.sizes[0].height, config.sizes[0].width) if fixed else None
        figures = asdict(score(predictor(net, Manner(config.net.output, size_hw)), self._validation))
        del figures["pictures"]
        return {"loss": self._validation_loss(net)} | figures

    @torch.inference_mode()
    def _validation_loss(self, net: DepthNet) -> float:
        """The mean total loss on whole pictures at the first of the config's sizes."""
        device, config = self._process.device, self._config
        totals: list[float] = []
        for sample in self._validation:
            batch = whole_picture(sample.read(), config, device)
            target = as_output(batch.target, config.net.output)
            terms = total_loss(config.loss_weights, net.eval()(batch.normalised()), target, batch.image, batch.metric)
            totals.append(float(terms["total"]))
        return sum(totals) / len(totals)

    def _save_state(self) -> None:
        if not self._process.leads:
            return
        state = {
            "step": self._step,
            "sums": self._sums.state(),
            "net": self._net.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "scaler": self._scaler.state_dict(),
        }
        packed = io.BytesIO()  # torch's own writer reports a full disk in words of its own
        torch.save(state, packed)
        with written_aside(self._out / STATE) as aside:
            aside.write_bytes(packed.getbuffer())

    def resume(self) -> None:
        """Go on from the state in the run's folder. Raises CheckpointError when there is none."""
        path = self._out / STATE
        try:
            state: dict[str, Any] = torch.load(path, map_location=self._process.device, weights_only=True)
            self._net.load_state_dict(state["net"])
            self._average.load_state_dict(state["average"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._scaler.load_state_dict(state["scaler"])
            self._step, self._sums = int(state["step"]), _Sums.of(state["sums"])
        except Exception as error:  # torch.load raises what it likes
            raise CheckpointError(f"{path}: cannot go on from it ({error}); start the run again") from error
        self._log.keep_until(self._step)


class _Sums:
    """Running means of the loss terms of an epoch, kept on the device so that no step waits for them."""

    def __init__(self) -> None:
        self._totals: dict[str, Tensor] = {}
        self._count = 0

    def add(self, terms: dict[str, Tensor]) -> None:
        for name, value in terms.items():
            self._totals[name] = self._totals[name] + value if name in self._totals else value
        self._count += 1

    def means(self) -> dict[str, float]:
        return {name: float(total) / max(self._count, 1) for name, total in self._totals.items()}

    def state(self) -> dict[str, Any]:
        return {"totals": self._totals, "count": self._count}

    @classmethod
    def of(cls, state: dict[str, Any]) -> _Sums:
        sums = cls()
        sums._totals, sums._count = state["totals"], state["count"]
        return sums


def learning_rate(step: int, config: Config, steps_per_epoch: int) -> float:
    """The rate of `step`, counted from 1."""
    optimiser, done = config.optimiser, step - 1
    rate = optimiser.learning_rate * min(1.0, step / max(optimiser.warmup_steps, 1))
    if optimiser.schedule == "cosine":
        return rate * 0.5 * (1.0 + math.cos(math.pi * done / (config.epochs * steps_per_epoch)))
    if optimiser.schedule == "step":
        return rate * optimiser.step_factor ** (done // steps_per_epoch // optimiser.step_epochs)
    return rate


def as_output(inverse_depth: Tensor, output: str) -> Tensor:
    """The target in the terms of the net's output: inverse depth, or the report's depth / 10 m."""
    return inverse_depth if output == checkpoint.INVERSE_DEPTH else (UNIT_IN_10_M / inverse_depth).clamp_max(1.0)


def save_weights(net: DepthNet, config: Config, step: int, out: Path) -> None:
    """Write `out/ENCODER.safetensors` with the config in its header. Raises OutputError."""
    state = net.state_dict().items()
    tensors = {k: v.detach().float().cpu().numpy() for k, v in state if not k.endswith("num_batches_tracked")}
    notes = {"config": config.model_dump_json(), "step": str(step), "output": config.net.output}
    made = checkpoint.Checkpoint(config.net.encoder, tensors, notes)
    checkpoint.store(out / f"{config.net.encoder}.safetensors", made, config.net.storage)


def _make_optimiser(net: DepthNet, wanted: Optimiser) -> torch.optim.Optimizer:
    """`rate` of a group is its share of the learning rate."""
    encoder = set(net.encoder.parameters())
    groups = [
        {"params": list(net.encoder.parameters()), "rate": wanted.encoder_rate},
        {"params": [parameter for parameter in net.parameters() if parameter not in encoder], "rate": 1.0},
    ]
    make = torch.optim.AdamW if wanted.name == "adamw" else torch.optim.Adam
    return make(groups, lr=wanted.learning_rate, weight_decay=wanted.weight_decay)


def _dtype(config: Config, device: torch.device) -> torch.dtype:
    if config.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return PRECISIONS[config.precision]
