"""Depth from defocus: the depth is right when it explains what a lens blurs.

Gur & Wolf 2019 (arXiv:1904.01545) train from pairs of a sharp and a defocused photograph through a
differentiable blur. Our sets hold no defocused photographs: the measured depth makes one, with a random
focus, and the predicted depth must make the same.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as pictures

from .masked import filled, masked_mean
from .similarity import photometric_error

SIGMAS_PX = (0.0, 1.0, 2.0, 4.0, 6.0)  # of the blurred copies between which a pixel is mixed
APERTURE = 0.09  # σ as a share of the picture's height, for each 1.0 of inverse depth out of focus


def defocus(prediction: Tensor, target: Tensor, image: Tensor) -> Tensor:
    """Photometric error between the picture as the predicted and as the measured depth blur it, shape b.

    prediction, target: `b 1 h w` inverse depth (NaN target = none), compared where it is measured. image: `b 3 h w`
    in [0, 1]. The focus is at a random measured pixel of each picture.
    """
    valid = ~torch.isnan(target)
    truth = filled(target, valid)
    focus = _random_depths(truth, valid)
    photograph = defocused(image, truth, focus)
    error = photometric_error(defocused(image, prediction, focus), photograph)
    return masked_mean(error, valid)


def defocused(image: Tensor, inverse_depth: Tensor, focus: Tensor) -> Tensor:
    """`image` (`b 3 h w`) with every pixel blurred by its own circle of confusion.

    A gather: each pixel mixes the two Gaussian copies next to its σ = aperture · height · |inverse depth − focus|, so
    the gradient reaches the inverse depth (`b 1 h w`) and no pixel depends on its neighbours' depth. focus: `b`.
    """
    sigma = APERTURE * image.shape[-2] * (inverse_depth - focus.view(-1, 1, 1, 1)).abs()
    result = torch.zeros_like(image)
    for index, copy in enumerate(_copies(image)):
        result = result + copy * _share(sigma.clamp_max(SIGMAS_PX[-1]), index)
    return result


def _copies(image: Tensor) -> list[Tensor]:
    return [_blurred(image, sigma) if sigma else image for sigma in SIGMAS_PX]


def _blurred(image: Tensor, sigma: float) -> Tensor:
    side = 2 * round(2.5 * sigma) + 1
    return pictures.gaussian_blur(image, [side, side], [sigma, sigma])


def _share(sigma: Tensor, index: int) -> Tensor:
    """How much of copy `index` a pixel takes: 1 at its σ, falling to 0 at its neighbours'."""
    here = SIGMAS_PX[index]
    share = torch.ones_like(sigma)
    if index > 0:
        before = SIGMAS_PX[index - 1]
        share = torch.where(sigma < here, (sigma - before) / (here - before), share)
    if index + 1 < len(SIGMAS_PX):
        after = SIGMAS_PX[index + 1]
        share = torch.where(sigma >= here, (after - sigma) / (after - here), share)
    return share.clamp(0.0, 1.0)


def _random_depths(truth: Tensor, valid: Tensor) -> Tensor:
    """The inverse depth of one random measured pixel a picture: shape b; 0 where there is none."""
    chances = valid.flatten(1).float() + 1e-9
    return truth.flatten(1).gather(1, torch.multinomial(chances, 1))[:, 0]
