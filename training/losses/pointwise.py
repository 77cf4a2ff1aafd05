"""Losses that compare pixel with pixel, in absolute terms: for metric sets only.

All take `b 1 h w` float32 in [0, 1] and return one value a picture, shape b; NaN targets are ignored.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .masked import filled, masked_mean

LOG_OFFSET = 0.02  # keeps log(inverse depth) finite; 25 m
SILOG_FOCUS = 0.5  # λ of Eigen et al.: 0 = RMSE of the log, 1 = blind to scale
BERHU_SHARE = 0.2  # the border of berHu as a share of the largest residual
EPSILON = 1e-6


def log_l1(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean |log(p + e) − log(t + e)|."""
    valid = ~torch.isnan(target)
    return masked_mean(_log_residual(prediction, target, valid).abs(), valid)


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
