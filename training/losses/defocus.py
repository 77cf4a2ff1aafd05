"""Depth from defocus: the depth is right when it explains what a lens blurs.

Gur & Wolf 2019 (arXiv:1904.01545) train from pairs of a sharp and a defocused photograph through a differentiable
renderer. Our sets hold no defocused photographs: the measured depth makes one, with a random focus, and the predicted
depth must make the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...kernels.cpu.planes import Planes
from ..renderer import refocus
from .masked import filled, masked_mean
from .similarity import photometric_error

APERTURE = 0.18  # radius of the circle of confusion at an inverse-depth difference of 1, as a share of the height
PLANES = Planes(front=(4.0, 12.0), back=(4.0, 12.0))  # few, for each costs a tenth of a second a step


def defocus(prediction: Tensor, target: Tensor, image: Tensor) -> Tensor:
    """Photometric error between the picture as the predicted and as the measured depth defocus it, shape b.

    prediction, target: `b 1 h w` inverse depth (NaN target = none), compared where it is measured. image: `b 3 h w`
    sRGB in [0, 1]. The focus is at a random measured pixel of each picture.
    """
    valid = ~torch.isnan(target)
    focus = _random_depths(filled(target, valid), valid)
    # Blur reaches over to neighbours: what was not measured looks the same to both, and is pushed nowhere.
    fixed = prediction.detach()
    with torch.no_grad():
        photograph = defocused(image, torch.where(valid, target, fixed), focus)
    error = photometric_error(defocused(image, torch.where(valid, prediction, fixed), focus), photograph)
    return masked_mean(error, valid)


def defocused(image: Tensor, inverse_depth: Tensor, focus: Tensor) -> Tensor:
    """`image` (`b 3 h w` sRGB) through a lens; the gradient reaches the inverse depth (`b 1 h w`). focus: b."""
    return refocus(image, inverse_depth, focus, APERTURE * image.shape[-2], PLANES)


def _random_depths(truth: Tensor, valid: Tensor) -> Tensor:
    """The inverse depth of one random measured pixel a picture: shape b; 0 where there is none."""
    chances = valid.flatten(1).float() + 1e-9
    return truth.flatten(1).gather(1, torch.multinomial(chances, 1))[:, 0]
