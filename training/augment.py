"""Random views of training pictures, made on the device that trains: geometry, colours, blur, noise, CutDepth.

`draw` rolls the dice on the CPU, so that a step looks the same on every device and after a resume;
`render` computes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as pictures

from ..engines.shape import MEAN
from .config import Views

BLUR_PX = 9  # kernel side
WIDEST_BAND = 0.75  # of what is right of its left side; p of Kim et al.
GREY = (0.299, 0.587, 0.114)  # BT.601 luma


@dataclass(frozen=True, slots=True)
class View:
    """One view of one picture: what to cut out, and what happens to its colours."""

    top: int
    left: int
    height: int
    width: int
    mirror: bool
    rotation: float = 0.0  # degrees
    saturation: float = 1.0
    gamma: float = 1.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: float = 1.0
    brightness: float = 0.0
    blur_px: float = 0.0  # σ of a Gaussian; 0 = none
    noise: float = 0.0  # σ of white noise, as a share of white
    noise_seed: int = 0
    band: tuple[float, float] | None = None  # left and right of the band that shows depth, as shares of the width


def draw(picture_hw: tuple[int, int], size_hw: tuple[int, int], views: Views, rng: Generator) -> View:
    """A random view of a picture of `picture_hw` that will be shown at `size_hw`."""
    top, left, height, width = _crop(picture_hw, size_hw, views, rng)
    mirror = bool(rng.random() < views.mirror)
    rotation = float(rng.uniform(-views.rotation, views.rotation)) if views.rotation else 0.0
    saturation, gamma, gains, contrast, brightness = _colours(views.colours, rng)
    return View(
        top, left, height, width, mirror, rotation, saturation, gamma, gains, contrast, brightness,
        blur_px=float(rng.uniform(0.4, 1.2)) if rng.random() < views.blur else 0.0,
        noise=float(rng.uniform(0.004, 0.03)) if rng.random() < views.noise else 0.0,
        noise_seed=int(rng.integers(0, 2**62)),
        band=_band(rng) if views.cut_depth and rng.random() < views.cut_depth else None,
    )  # fmt: skip


def _crop(
    picture_hw: tuple[int, int], size_hw: tuple[int, int], views: Views, rng: Generator
) -> tuple[int, int, int, int]:
    h, w = picture_hw
    aspect, scale = size_hw[1] / size_hw[0], 1.0
    if not views.whole or rng.random() >= views.whole:
        aspect *= 1.0 + rng.uniform(-views.aspect_jitter, views.aspect_jitter)
        scale = rng.uniform(views.smallest_crop, 1.0)
    crop_h = min(h * scale, w * scale / aspect)
    height = min(max(round(crop_h), 1), h)
    width = min(max(round(crop_h * aspect), 1), w)
    return int(rng.integers(0, h - height + 1)), int(rng.integers(0, w - width + 1)), height, width


def _band(rng: Generator) -> tuple[float, float]:
    left = float(rng.uniform())
    return left, left + WIDEST_BAND * float(rng.uniform()) * (1.0 - left)


def _colours(strength: float, rng: Generator) -> tuple[float, float, tuple[float, float, float], float, float]:
    saturation = 1.0 + strength * float(rng.uniform(-1.0, 0.4)) if rng.random() < 0.5 else 1.0
    red, green, blue = (1.0 + strength * rng.uniform(-0.13, 0.12, size=3)).tolist()
    return (
        saturation,
        float(np.exp(rng.normal(0.0, 0.25 * strength))),
        (red, green, blue),
        1.0 + strength * float(rng.uniform(-0.25, 0.25)),
        strength * float(rng.uniform(-0.1, 0.1)),
    )


def render(image: Tensor, target: Tensor, metric: bool, view: View, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """(picture `3 h w` in [0, 1], target `1 h w`) of one view.

    image: `3 h w` uint8. target: `h w` inverse depth, NaN = no measurement. Zooming into a metric
    picture by 1/s looks like standing 1/s nearer, so its inverse depth is divided by the crop scale s
    (the canonical-camera transform of Metric3D, Yin et al. 2023, arXiv:2307.10984).
    """
    if view.rotation:
        image, target = _rotated(image, target, view.rotation)
    rows, columns = slice(view.top, view.top + view.height), slice(view.left, view.left + view.width)
    size = list(size_hw)
    cut = pictures.resize(image[:, rows, columns].float() / 255.0, size, antialias=True)
    # Nearest keeps NaN holes and depth edges as they are: no invented depth between two surfaces.
    depth = functional.interpolate(target[None, None, rows, columns], size_hw, mode="nearest-exact")[0]
    if metric:
        zoom = (view.height * view.width / target.numel()) ** 0.5
        depth = (depth / zoom).clamp_max(1.0)
    if view.mirror:
        cut, depth = cut.flip(-1), depth.flip(-1)
    cut = _coloured(cut, view)
    return (_with_band(cut, depth, view.band) if view.band else cut), depth


def _with_band(image: Tensor, depth: Tensor, band: tuple[float, float]) -> Tensor:
    """Vertical CutDepth (Kim et al. 2022, arXiv:2201.07436, sec. 3.4): a band of the target shown as grey."""
    left, right = (round(share * image.shape[-1]) for share in band)
    shown = image.clone()
    shown[..., left:right] = depth[..., left:right].nan_to_num(0.0)
    return shown


def _rotated(image: Tensor, target: Tensor, degrees: float) -> tuple[Tensor, Tensor]:
    """The camera rolled: the corners show a plain grey and have no depth."""
    grey = [255.0 * channel for channel in MEAN]
    turned = pictures.rotate(image, degrees, InterpolationMode.BILINEAR, fill=grey)
    return turned, pictures.rotate(target[None], degrees, InterpolationMode.NEAREST, fill=[float("nan")])[0]


def _coloured(image: Tensor, view: View) -> Tensor:
    if view.blur_px:
        image = pictures.gaussian_blur(image, [BLUR_PX, BLUR_PX], [view.blur_px, view.blur_px])
    if view.saturation != 1.0:
        grey = (image * image.new_tensor(GREY).view(3, 1, 1)).sum(dim=0, keepdim=True)
        image = grey + (image - grey) * view.saturation
    image = image.clamp(0.0, 1.0) ** view.gamma * image.new_tensor(view.gains).view(3, 1, 1)
    image = (image - 0.5) * view.contrast + 0.5 + view.brightness
    if view.noise:
        dice = torch.Generator(image.device).manual_seed(view.noise_seed)
        image = image + view.noise * torch.randn(image.shape, generator=dice, device=image.device)
    return image.clamp(0.0, 1.0)
