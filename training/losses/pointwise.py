"""Losses that compare pixel with pixel, in absolute terms: for metric sets only.

All take `b 1 h w` float32 in [0, 1] and return one value a picture, shape b; NaN targets are ignored.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .masked import filled, masked_mean, mean_map

LOG_OFFSET = 0.02  # keeps log(inverse depth) finite; 25 m
SILOG_FOCUS = 0.5  # λ of Eigen et al.: 0 = RMSE of the log, 1 = blind to scale
BERHU_SHARE = 0.2  # the border of berHu as a share of the largest residual
FARTHEST = 0.05  # inverse depth of 10 m
EPSILON = 1e-6


def log_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean |log(p + e) − log(t + e)|."""
    valid = ~torch.isnan(target)
    return masked_mean(_log_residual(prediction, target, valid).abs(), valid)


def aligned_log(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean |log(p') − log(t)|, p' being p with the scale and shift that fit t best by least squares.

    As nets are judged (Ranftl et al. 2020, arXiv:1907.01341, sec. 6): after the same fit, cut off at 10 m as there.
    Blind to scale and shift of the prediction, not of the target.
    """
    valid = ~torch.isnan(target)
    true = filled(target, valid)
    centred = (prediction - mean_map(prediction, valid)) * valid
    mean = mean_map(true, valid)
    scale = masked_mean(centred * (true - mean), valid) / masked_mean(centred**2, valid).clamp_min(EPSILON)
    aligned = (scale.view(-1, 1, 1, 1) * centred + mean).clamp_min(FARTHEST)
    return masked_mean((torch.log(aligned) - torch.log(true.clamp_min(FARTHEST))).abs(), valid)


def l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean |p − t|."""
    valid = ~torch.isnan(target)
    return masked_mean((prediction - filled(target, valid)).abs(), valid)


def bce(prediction: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy against soft labels: the report's loss. Its floor is `bce_floor`, not 0."""
    valid = ~torch.isnan(target)
    inside = prediction.clamp(EPSILON, 1 - EPSILON)
    return masked_mean(functional.binary_cross_entropy(inside, filled(target, valid), reduction="none"), valid)


def bce_floor(target: Tensor) -> Tensor:
    """What `bce` gives a perfect prediction: the mean entropy of the soft labels."""
    return bce(target.nan_to_num(0.5), target)


def silog(prediction: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant log error, mean(r²) − λ·mean(r)². Eigen et al. 2014 (arXiv:1406.2283), eq. 4."""
    valid = ~torch.isnan(target)
    residual = _log_residual(prediction, target, valid)
    return masked_mean(residual**2, valid) - SILOG_FOCUS * masked_mean(residual, valid) ** 2


def berhu(prediction: Tensor, target: Tensor) -> Tensor:
    """Reverse Huber: |r| up to c, (r² + c²) / 2c above. Laina et al. 2016 (arXiv:1606.00373), eq. 1.

    c is a fifth of the largest |r| of the batch.
    """
    valid = ~torch.isnan(target)
    residual = ((prediction - filled(target, valid)) * valid).abs()
    border = (BERHU_SHARE * residual.detach().max()).clamp_min(EPSILON)
    value = torch.where(residual <= border, residual, (residual**2 + border**2) / (2 * border))
    return masked_mean(value, valid)


def _log_residual(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    return torch.log(prediction + LOG_OFFSET) - torch.log(filled(target, valid) + LOG_OFFSET)
