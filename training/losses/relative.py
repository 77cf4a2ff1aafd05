"""Losses that see no scale and no shift: for sets whose depth is a disparity, and for order in all sets."""

from __future__ import annotations

import torch
from torch import Tensor

from .masked import filled, masked_mean, mean_map


def affine(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean |residual| after removing shift and scale, per picture: shape b.

    As Ranftl et al. 2020 (MiDaS, arXiv:1907.01341), eqs. 5–7, but for the centre: both maps are centred
    on their mean, where MiDaS takes the median, and divided by their mean absolute deviation.
    """
    valid = ~torch.isnan(target)
    return masked_mean(_residual(prediction, target, valid).abs(), valid)


def gradient(prediction: Tensor, target: Tensor, scales: int = 4) -> Tensor:
    """Mean |gradient of the same residual|, summed over `scales` halvings: shape b. MiDaS, eq. 11."""
    valid = ~torch.isnan(target)
    residual = _residual(prediction, target, valid)
    total = torch.zeros(len(residual), device=residual.device)
    for k in range(scales):
        r, m = residual[..., :: 2**k, :: 2**k], valid[..., :: 2**k, :: 2**k]
        dx, mx = (r[..., 1:] - r[..., :-1]).abs(), m[..., 1:] & m[..., :-1]
        dy, my = (r[..., 1:, :] - r[..., :-1, :]).abs(), m[..., 1:, :] & m[..., :-1, :]
        total = total + masked_mean(dx, mx) + masked_mean(dy, my)
    return total


def _residual(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    return _normalised(prediction, valid) - _normalised(filled(target, valid), valid)


def _normalised(x: Tensor, valid: Tensor) -> Tensor:
    """Centred and scaled so that a·x + b gives the same; so does the gradient, which has no part along x or along 1."""
    # A median without its gradient would let the loss push the whole map up or down for ever; with it, one pixel
    # would carry the push. The mean is exact and spreads it.
    centred = (x - mean_map(x, valid)) * valid
    scale = mean_map(centred.abs(), valid).clamp_min(1e-3)
    return centred / scale
