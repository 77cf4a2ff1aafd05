"""Pictures of depth, of layers and of where the focus is. The specification is `..api.Kernels`."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from ..api import InverseDepth, Labels, Lens, Picture
from .depth import resize
from .planes import SHARP_PX

MARK = (255, 40, 40)
EDGE = 24  # |∂x| + |∂y| of grey, scaled so that a step of so many greys across the picture has about this
WARM, COOL = (255, 150, 60), (70, 140, 255)
FULL_RADIUS = 0.02  # of the picture's height: where the tint is full
LEAST_TINT = 0.3  # as soon as something is out of focus
FULL_TINT = 0.85  # a little of the picture's own colour stays


def colour_depth(inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> Picture:
    height, width = size_hw
    grey = np.clip(inverse_depth * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    return turbo(cast(Labels, grey))


def colour_layers(labels: Labels, layers: int, size_hw: tuple[int, int]) -> Picture:
    height, width = size_hw
    full = cast(Labels, cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST))
    return layer_colours(layers)[full]


def layer_colours(layers: int) -> Picture:
    """Of each layer, `layers 3`."""
    # Near layers take the warm end; the very ends of Turbo are too dark to tell apart.
    return turbo(np.linspace(235, 25, layers).astype(np.uint8)[:, None])[:, 0]


def turbo(grey: Labels) -> Picture:
    """False colours of each of `h w` levels."""
    return cast(Picture, cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB))


def mark_in_focus(picture: Picture, inverse_depth: InverseDepth, lens: Lens) -> Picture:
    within = lens.dead_zone + SHARP_PX / max(lens.reach_px, 1e-6)
    full = resize(inverse_depth, (picture.shape[0], picture.shape[1]))
    sharp = cv2.inRange(full, lens.focus - within, lens.focus + within)
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (3, 3), 0)  # noise has no edges
    across, down = (cv2.Sobel(grey, cv2.CV_16S, *order, scale=0.25) for order in ((1, 0), (0, 1)))
    edges = cv2.addWeighted(cv2.convertScaleAbs(across), 1.0, cv2.convertScaleAbs(down), 1.0, -EDGE)
    out = picture.copy()
    out[cv2.bitwise_and(edges, sharp) > 0] = MARK
    return out


def tint_by_focus(picture: Picture, inverse_depth: InverseDepth, lens: Lens) -> Picture:
    full = resize(inverse_depth, (picture.shape[0], picture.shape[1]))
    depths = np.linspace(0.0, 1.0, 256)
    radius_px = lens.reach_px * np.maximum(np.abs(depths - lens.focus) - lens.dead_zone, 0.0)
    strength = LEAST_TINT + (FULL_TINT - LEAST_TINT) * np.minimum(radius_px / (FULL_RADIUS * picture.shape[0]), 1.0)
    strength *= np.clip(radius_px / SHARP_PX, 0.0, 1.0)
    colours = np.where((depths > lens.focus)[:, None], WARM, COOL).astype(np.uint8)[:, None]
    level = cv2.convertScaleAbs(full, alpha=255.0)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tint = cv2.multiply(cv2.applyColorMap(level, colours), grey, scale=1.0 / 255.0)
    weight = cv2.LUT(level, strength.astype(np.float32))
    return cast(Picture, cv2.blendLinear(tint, picture, weight, 1.0 - weight))
