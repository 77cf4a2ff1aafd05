"""The training loop: every step is decided by the config and its number, so a killed run can go on."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..engines import checkpoint
from ..engines.atomic import written_aside
from ..engines.interrupts import Interrupts, StoppedError, check_interrupts
from ..engines.network import DepthNet
from ..kernels.errors import CheckpointError
from .batches import Batch, Batches, whole_picture
from .config import Config
from .data import Sample
from .objective import objective
from .optimiser import learning_rate, make_optimiser, train_mode
from .predict import Manner, predictor
from .process import Process
from .run_log import RunLog, training_progress
from .scoring import score
from .variants import SIDE_HEADS

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
        self._optimiser = make_optimiser(self._net, config.optimiser)  # first: what is frozen is not shared
        self._shared = process.shared(self._net)
        self._average = AveragedModel(
            self._net, multi_avg_fn=get_ema_multi_avg_fn(config.optimiser.ema_decay), use_buffers=True
        )
        self._dtype = _dtype(config, device)
        self._scaler = torch.GradScaler(device.type, enabled=self._dtype == torch.float16)
        self._step, self._sums = 0, _Sums()
        self._log = RunLog(out)
        self._steps_per_epoch = config.steps_per_epoch or math.ceil(len(training) / config.batch)
        self._last = config.epochs * self._steps_per_epoch

    def run(self) -> None:
        """Train to the last epoch; weights, state and log in the run's folder are whole at any time.

        Raises StoppedError on Ctrl-C, with the state of the step that was at hand saved; one of several processes
        ends at once, and the last saved state is up to five minutes old.
        """
        process, last = self._process, self._last
        saved_s = time.monotonic()
        with (
            self._interrupts() as interrupts,
            Batches(self._training, self._config, process.device, process.rank, process.world) as batches,
            training_progress(last, self._step, process.leads) as on_step,
        ):
            if self._sums.count and self._step % self._steps_per_epoch == 0:
                self._end_epoch()  # the run ended while it validated
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
                if interrupts is not None and self._step < last:
                    self._check(interrupts)

    def _interrupts(self) -> Interrupts | nullcontext[None]:
        # Of several processes one would wait for ever for the others' part of a step that they do not take.
        return Interrupts() if self._process.world == 1 else nullcontext()

    def _check(self, interrupts: Interrupts) -> None:
        try:
            interrupts.check()
        except KeyboardInterrupt as stop:
            self._save_state()
            raise self._stopped from stop

    @property
    def _stopped(self) -> StoppedError:
        return StoppedError(f"stopped after step {self._step} of {self._last}; --resume goes on from there")

    def _train_on(self, batch: Batch) -> dict[str, Tensor]:
        config, step = self._config, self._step + 1
        # Random triplets of points, too, depend on the step alone.
        torch.manual_seed(int(np.random.SeedSequence((config.seed, step, self._process.rank)).generate_state(1)[0]))
        for group in self._optimiser.param_groups:
            group["lr"] = group["rate"] * learning_rate(step, config, self._steps_per_epoch)
        train_mode(self._net, config.optimiser)
        with torch.autocast(self._process.device.type, dtype=self._dtype, enabled=self._dtype != torch.float32):
            outputs = self._shared(batch.normalised())
        terms = objective([outputs] if isinstance(outputs, Tensor) else outputs, batch, config)
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
        if self._validation:
            self._save_state()  # with the epoch's means, which tell one that goes on that it is not validated yet
        if self._process.leads:
            net = self.trained
            row = {f"train_{name}": value for name, value in self._sums.means().items()}
            try:
                row |= {f"validation_{name}": value for name, value in self._validate(net).items()}
            except KeyboardInterrupt as stop:
                raise self._stopped from stop
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
            check_interrupts()
            batch = whole_picture(sample.read(), config, device)
            totals.append(float(objective([net.eval()(batch.normalised())], batch, config)["total"]))
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
        self.count = 0

    def add(self, terms: dict[str, Tensor]) -> None:
        for name, value in terms.items():
            self._totals[name] = self._totals[name] + value if name in self._totals else value
        self.count += 1

    def means(self) -> dict[str, float]:
        return {name: float(total) / max(self.count, 1) for name, total in self._totals.items()}

    def state(self) -> dict[str, Any]:
        return {"totals": self._totals, "count": self.count}

    @classmethod
    def of(cls, state: dict[str, Any]) -> _Sums:
        sums = cls()
        sums._totals, sums.count = state["totals"], state["count"]
        return sums


def save_weights(net: DepthNet, config: Config, step: int, out: Path) -> None:
    """Write `out/ENCODER.safetensors` with the config in its header. Raises OutputError."""
    state = net.state_dict().items()
    wanted = {k: v for k, v in state if not k.endswith("num_batches_tracked") and not k.startswith(SIDE_HEADS)}
    tensors = {k: v.detach().float().cpu().numpy() for k, v in wanted.items()}
    notes = {"config": config.model_dump_json(), "step": str(step), "output": config.net.output}
    if config.net.variant:
        notes["variant"] = config.net.variant
    made = checkpoint.Checkpoint(config.net.encoder, tensors, notes)
    checkpoint.store(out / f"{config.net.encoder}.safetensors", made, config.net.storage)


def _dtype(config: Config, device: torch.device) -> torch.dtype:
    if config.precision == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return PRECISIONS[config.precision]
