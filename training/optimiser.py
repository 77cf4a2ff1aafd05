"""How the weights of a net move: optimiser, learning rate, and what of the encoder stays as ImageNet left it."""

from __future__ import annotations

import math

import torch
from torch import nn

from ..engines.network import DepthNet
from .config import Config, Optimiser

STAGES = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",))  # as `frozen_stages` counts them


def make_optimiser(net: DepthNet, wanted: Optimiser) -> torch.optim.Optimizer:
    """`rate` of a group is its share of the learning rate. Frozen stages take no part."""
    for module in _frozen_stages(net, wanted):
        module.requires_grad_(False)
    encoder = list(net.encoder.parameters())
    own = {id(parameter) for parameter in encoder}
    decoder = [parameter for parameter in net.parameters() if id(parameter) not in own]
    groups = [
        {"params": [parameter for parameter in encoder if parameter.requires_grad], "rate": wanted.encoder_rate},
        {"params": decoder, "rate": 1.0},
    ]
    make = torch.optim.AdamW if wanted.name == "adamw" else torch.optim.Adam
    return make(
        [group for group in groups if group["params"]],
        lr=wanted.learning_rate,
        weight_decay=wanted.weight_decay,
        fused=True,  # one pass over each tensor: a tenth of a step on the CPU is the optimiser's otherwise
    )


def train_mode(net: DepthNet, wanted: Optimiser) -> None:
    """Training mode, but for batch norms that keep their statistics: a stage that starts at random has none to keep."""
    net.train()
    held = _frozen_stages(net, wanted)
    if wanted.frozen_norms:
        stages = [stage for name, stage in net.encoder.named_children() if name not in net.untrained]
        held += [module for stage in stages for module in stage.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in held:
        module.eval()


def _frozen_stages(net: DepthNet, wanted: Optimiser) -> list[nn.Module]:
    names = [name for stage in STAGES[: wanted.frozen_stages] for name in stage]
    return [net.encoder.get_submodule(name) for name in names]


def learning_rate(step: int, config: Config, steps_per_epoch: int) -> float:
    """The rate of `step`, counted from 1."""
    optimiser, done = config.optimiser, step - 1
    rate = optimiser.learning_rate * min(1.0, step / max(optimiser.warmup_steps, 1))
    if optimiser.schedule == "cosine":
        return rate * 0.5 * (1.0 + math.cos(math.pi * done / (config.epochs * steps_per_epoch)))
    if optimiser.schedule == "step":
        return rate * optimiser.step_factor ** (done // steps_per_epoch // optimiser.step_epochs)
    return rate
