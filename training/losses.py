"""Training losses as named terms on inverse depth. All take `b 1 h w` float32; NaN targets are ignored."""

from __future__ import annotations

import torch
from torch import Tensor

LOG_OFFSET = 0.02  # keeps log(inverse depth) finite; 25 m


def log_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean |log(p + e) − log(t + e)| over measured pixels, per picture: shape b. Metric sets only."""
    valid = ~torch.isnan(target)
    error = (torch.log(prediction + LOG_OFFSET) - torch.log(_filled(target, valid) + LOG_OFFSET)).abs()
    return _masked_mean(error, valid)


def affine_invariant_terms(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(data term, multi-scale gradient term), per picture, after removing shift and scale.

    Ranftl et al. 2020 (MiDaS, arXiv:1907.01341), eqs. 5–7 and 11: both maps are centred on their
    median and divided by their mean absolute deviation, so scale and offset of a disparity map do
    not matter.
    """
    valid = ~torch.isnan(target)
    residual = _normalised(prediction, valid) - _normalised(_filled(target, valid), valid)
    return _masked_mean(residual.abs(), valid), _gradient(residual, valid)


def _normalised(x: Tensor, valid: Tensor) -> Tensor:
    flat = x.masked_fill(~valid, float("nan")).flatten(1)
    median = flat.nanmedian(dim=1).values.detach().nan_to_num(0.0).view(-1, 1, 1, 1)
    centred = (x - median) * valid
    scale = _masked_mean(centred.abs(), valid).clamp_min(1e-3).view(-1, 1, 1, 1)
    return centred / scale


def _gradient(residual: Tensor, valid: Tensor, scales: int = 4) -> Tensor:
    total = torch.zeros(residual.shape[0], device=residual.device)
    for k in range(scales):
        r, m = residual[..., :: 2**k, :: 2**k], valid[..., :: 2**k, :: 2**k]
        dx, mx = (r[..., 1:] - r[..., :-1]).abs(), m[..., 1:] & m[..., :-1]
        dy, my = (r[..., 1:, :] - r[..., :-1, :]).abs(), m[..., 1:, :] & m[..., :-1, :]
        total = total + _masked_mean(dx, mx) + _masked_mean(dy, my)
    return total


def _filled(target: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid, target, torch.zeros_like(target))


def _masked_mean(x: Tensor, valid: Tensor) -> Tensor:
    return (x * valid).flatten(1).sum(1) / valid.flatten(1).sum(1).clamp_min(1)


def total_loss(prediction: Tensor, target: Tensor, metric: Tensor, metric_weight: float = 1.0) -> dict[str, Tensor]:
    """Named terms and their weighted sum `total`, each a scalar.

    `metric` (shape b, bool) says whose targets are metres; the others see only affine-invariant terms.
    """
    data, gradient = affine_invariant_terms(prediction, target)
    metric_term = torch.where(metric, log_l1(prediction, target), torch.zeros_like(data))
    terms = {"affine": data.mean(), "gradient": gradient.mean(), "log_l1": metric_term.mean()}
    return terms | {"total": terms["affine"] + 0.5 * terms["gradient"] + metric_weight * terms["log_l1"]}
