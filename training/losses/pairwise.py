"""Terms over two pictures of one scene: two frames of a video, or the two views of a stereo camera.

All take the predictions `b 1 h w` of both pictures, the pictures `b 3 h w` in [0, 1], and what `matching` found
between them; all give shape b.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .masked import filled, masked_mean
from .relative import affine
from .similarity import photometric_error, pixel_grid, sampled_at
from .structure import smoothness

SMOOTHNESS_SHARE = 0.1
COLOUR_FALLOFF = 50.0

Two = tuple[Tensor, Tensor]


def temporal(predictions: Two, images: Two, flow: Tensor) -> Tensor:
    """Mean change of inverse depth along the optical flow, over the mean deviation of the map.

    Both are (now, before). flow: `b 2 h w` in px, from a pixel to where it was before. Pixels whose colour changed
    hardly count: as in the warping error of Wang et al. 2022 (arXiv:2208.00380), which training makes small.
    """
    now, before = predictions
    x, y = pixel_grid(now)
    x, y = x + flow[:, :1], y + flow[:, 1:]
    warped, inside = sampled_at(before, x, y)
    colours, _ = sampled_at(images[1], x, y)
    weight = torch.exp(-COLOUR_FALLOFF * ((images[0] - colours) ** 2).sum(dim=1, keepdim=True)) * inside
    spread = (now - now.mean(dim=(1, 2, 3), keepdim=True)).abs().mean(dim=(1, 2, 3)).clamp_min(1e-3)
    return masked_mean((now - warped).abs(), weight) / spread.detach()


def stereo(predictions: Two, images: Two, disparities: Two) -> Tensor:
    """Scale-and-shift-invariant distance to the disparity that stereo matching finds, both views.

    Stereo supervises as in Kendall et al. 2017 (arXiv:1703.04309), whose net regresses disparity from a cost volume;
    here semi-global matching does. All are (left, right); disparities: `b 1 h w`, NaN = no match.
    """
    del images
    return 0.5 * (affine(predictions[0], disparities[0]) + affine(predictions[1], disparities[1]))


def photometric(predictions: Two, images: Two, disparities: Two) -> Tensor:
    """Left-right consistency: each view rebuilt from the other through the predicted disparity.

    Godard et al. 2017 (arXiv:1609.03677), eqs. 3–6: appearance, smoothness, and agreement of both disparities. The
    net's inverse depth has a scale and shift of its own, which a least-squares fit to the matches takes out.
    """
    mine_of = [_fitted(prediction, matches) for prediction, matches in zip(predictions, disparities)]
    total = predictions[0].new_zeros(len(predictions[0]))
    for one, other, sign in ((0, 1, -1.0), (1, 0, 1.0)):
        disparity = mine_of[one]
        x, y = pixel_grid(disparity)
        x, y = x + sign * disparity, y.expand_as(disparity)
        rebuilt, inside = sampled_at(images[other], x, y)
        theirs, _ = sampled_at(mine_of[other], x, y)
        disagreement = (disparity - theirs).abs() / disparity.detach().mean().clamp_min(1.0)
        total = total + masked_mean(photometric_error(rebuilt, images[one]) + disagreement, inside)
        total = total + SMOOTHNESS_SHARE * smoothness(predictions[one], images[one])
    return total / 2.0


def _fitted(inverse_depth: Tensor, disparity: Tensor) -> Tensor:
    """a · inverse depth + b in px, a ≥ 0 and b by least squares to the known disparities, both as constants."""
    known = ~torch.isnan(disparity)
    x, true = inverse_depth.detach(), filled(disparity, known)
    mean_x, mean_y = (masked_mean(value, known).view(-1, 1, 1, 1) for value in (x, true))
    covariance = masked_mean((x - mean_x) * (true - mean_y), known).view(-1, 1, 1, 1)
    variance = masked_mean((x - mean_x) ** 2, known).view(-1, 1, 1, 1).clamp_min(1e-6)
    return (covariance / variance).clamp_min(0.0) * (inverse_depth - mean_x) + mean_y
