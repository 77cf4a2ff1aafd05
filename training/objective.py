"""What a training step makes small: the terms of the config over a batch and the net's outputs for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..engines import checkpoint
from .batches import Batch, Link
from .config import Config
from .losses import pairwise, total_loss
from .predict import UNIT_IN_10_M

COARSE_SHARE = 0.5  # of each coarser output, against the next finer one

STEREO = {"stereo": pairwise.stereo, "photometric": pairwise.photometric}


def objective(outputs: Sequence[Tensor], batch: Batch, config: Config) -> dict[str, Tensor]:
    """Every term as a mean over the batch, and their weighted sum `total`.

    outputs: the net's maps, `b 1 h w`; coarser ones (side heads) are compared with the target at their size.
    """
    terms = _single_terms(outputs, batch, config)
    for link in batch.links:
        terms[link.kind] = _pair_term(outputs[0].float(), batch, link)
        terms["total"] = terms["total"] + config.pairs[link.kind] * terms[link.kind]
    return terms


def _single_terms(outputs: Sequence[Tensor], batch: Batch, config: Config) -> dict[str, Tensor]:
    target = as_output(batch.target, config.net.output)
    sums: dict[str, Tensor] = {}
    for level, output in enumerate(outputs):
        step = target.shape[-1] // output.shape[-1]
        # Strided, not averaged: no depth between two surfaces, and holes stay holes.
        near = (..., slice(step // 2, None, step), slice(step // 2, None, step))
        image = batch.image if step == 1 else torch.nn.functional.avg_pool2d(batch.image, step)
        terms = total_loss(config.loss_weights, output.float(), target[near], image, batch.metric)
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + COARSE_SHARE**level * value
    scale = sum(COARSE_SHARE**level for level in range(len(outputs)))
    return {name: value / scale for name, value in sums.items()}


def _pair_term(prediction: Tensor, batch: Batch, link: Link) -> Tensor:
    predictions, images = ((values[link.firsts], values[link.seconds]) for values in (prediction, batch.image))
    if link.kind == "temporal":
        return pairwise.temporal(predictions, images, link.matches[0]).mean()
    left, right = link.matches
    return STEREO[link.kind](predictions, images, (left, right)).mean()


def as_output(inverse_depth: Tensor, output: str) -> Tensor:
    """The target in the terms of the net's output: inverse depth, or the report's depth / 10 m."""
    return inverse_depth if output == checkpoint.INVERSE_DEPTH else (UNIT_IN_10_M / inverse_depth).clamp_max(1.0)
