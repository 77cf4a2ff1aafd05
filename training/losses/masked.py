"""Means over measured pixels."""

from __future__ import annotations

import torch
from torch import Tensor


def filled(target: Tensor, valid: Tensor) -> Tensor:
    """`target` with 0 where nothing was measured, so that no NaN reaches a gradient."""
    return torch.where(valid, target, torch.zeros_like(target))


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of `x` where `mask`, per picture: shape b; 0 for a picture without such pixels."""
    return (x * mask).flatten(1).sum(1) / mask.flatten(1).sum(1).clamp_min(1)


def mean_map(x: Tensor, valid: Tensor) -> Tensor:
    """The mean where `valid`, of every picture: `b 1 1 1`, to be taken from maps."""
    return masked_mean(x, valid).view(-1, 1, 1, 1)
