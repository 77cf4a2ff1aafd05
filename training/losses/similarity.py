"""How far two pictures are from each other, differentiable: for terms that compare rendered with real pictures."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SSIM_SHARE = 0.85  # α of Godard et al.
C1, C2 = 0.01**2, 0.03**2  # for values in [0, 1]


def photometric_error(one: Tensor, other: Tensor) -> Tensor:
    """α (1 − SSIM) / 2 + (1 − α) |one − other| per pixel: `b c h w` in [0, 1] each → `b 1 h w`.

    Godard et al. 2017 (arXiv:1609.03677), eq. 4, with SSIM over 3×3 boxes.
    """
    difference = (one - other).abs()
    error = SSIM_SHARE * _dissimilarity(one, other) + (1.0 - SSIM_SHARE) * difference
    return error.mean(dim=1, keepdim=True)


def _dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    mean_x, mean_y = _box(x), _box(y)
    variance_x, variance_y = _box(x * x) - mean_x**2, _box(y * y) - mean_y**2
    covariance = _box(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    likeness = likeness / ((mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2))
    return ((1.0 - likeness) / 2.0).clamp(0.0, 1.0)


def _box(x: Tensor) -> Tensor:
    return functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), mode="reflect"), 3, stride=1)


def sampled_at(picture: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(`picture` at the pixel positions x, y; which positions lie inside): `b c h w` and bool `b 1 h w`.

    x, y: `b 1 h w` in px, 0 = the centre of the first pixel. Bilinear; differentiable in picture, x and y.
    """
    height, width = picture.shape[-2:]
    grid = torch.cat((2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1), dim=1).permute(0, 2, 3, 1)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return functional.grid_sample(picture, grid, padding_mode="border", align_corners=True), inside


def pixel_grid(like: Tensor) -> tuple[Tensor, Tensor]:
    """(x, y) of every pixel of `b c h w`, as `1 1 h w` each."""
    height, width = like.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=like.device, dtype=like.dtype),
        torch.arange(width, device=like.device, dtype=like.dtype),
        indexing="ij",
    )
    return x[None, None], y[None, None]
