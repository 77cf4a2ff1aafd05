"""Losses on the shape of the scene."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .masked import filled, masked_mean
from .pointwise import FARTHEST

TRIPLETS = 4000  # a picture
FOCAL = 0.9  # focal length over picture width; NYU's Kinect has 519 px at 561
UNIT_M = 0.5  # inverse depth 1.0 in metres
WIDEST_COSINE = 0.867  # a triangle with a corner under 30° or over 150° is nearly a line
LEAST_APART_M = 0.1  # nearer corners say more about noise than about planes
EDGE_STEEPNESS = 10.0  # a step of 0.1 in the picture lets depth change about three times as freely


def virtual_normal(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean L1 distance of the normals of planes through random triplets of points, per picture: shape b.

    Yin et al. 2019 (arXiv:1907.12209), eqs. 3–4. Takes `b 1 h w` inverse depth, which a pinhole
    with a common focal length lifts to points. Metric sets only: a shift bends planes.
    """
    valid = ~torch.isnan(target)
    corners = torch.randint(target[0].numel(), (TRIPLETS, 3), device=target.device)
    true, guess = (_points(x).flatten(2)[..., corners] for x in (filled(target, valid), prediction))
    usable = valid.flatten(1)[:, corners].all(dim=-1) & _spans_plane(true)
    return masked_mean((_normals(true) - _normals(guess)).abs().sum(dim=1), usable)


def _points(inverse_depth: Tensor) -> Tensor:
    """`b 1 h w` inverse depth → `b 3 h w` points in metres."""
    height, width = inverse_depth.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=inverse_depth.device) - (height - 1) / 2,
        torch.arange(width, device=inverse_depth.device) - (width - 1) / 2,
        indexing="ij",
    )
    rays = torch.stack((x, y, torch.full_like(x, FOCAL * width))) / (FOCAL * width)
    return rays * (UNIT_M / inverse_depth.clamp_min(FARTHEST))


def _spans_plane(triplets: Tensor) -> Tensor:
    """Which triplets (`b 3 t 3`, axis 1 = x y z, last axis = corner) are far apart and not on a line: `b t`."""
    usable = torch.ones_like(triplets[:, 0, :, 0], dtype=torch.bool)
    for corner in range(3):
        one = triplets[..., (corner + 1) % 3] - triplets[..., corner]
        other = triplets[..., (corner + 2) % 3] - triplets[..., corner]
        cosine = functional.cosine_similarity(one, other, dim=1)
        usable &= (cosine.abs() < WIDEST_COSINE) & (one.norm(dim=1) > LEAST_APART_M)
    return usable


def _normals(triplets: Tensor) -> Tensor:
    """Unit normals `b 3 t`."""
    one, other = triplets[..., 1] - triplets[..., 0], triplets[..., 2] - triplets[..., 0]
    return functional.normalize(torch.linalg.cross(one, other, dim=1), dim=1)


def smoothness(prediction: Tensor, image: Tensor) -> Tensor:
    """Edge-aware smoothness, mean |∂d| · exp(−s·|∂I|) of mean-normalised inverse depth, per picture: shape b.

    Godard et al. 2017 (arXiv:1609.03677), eq. 5, with the normalisation of Wang et al. 2018
    (arXiv:1712.00175). image: `b 3 h w` in [0, 1].
    """
    scaled = prediction / prediction.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-3)
    total = torch.zeros(len(prediction), device=prediction.device)
    for axis in (-1, -2):
        step = image.diff(dim=axis).abs().mean(dim=1, keepdim=True)
        total = total + (scaled.diff(dim=axis).abs() * torch.exp(-EDGE_STEEPNESS * step)).mean(dim=(1, 2, 3))
    return total
