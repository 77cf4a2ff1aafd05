"""False-colour pictures of depth and layers. The specification is `..api.Kernels`."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from ..api import InverseDepth, Labels, Picture


def colour_depth(inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> Picture:
    height, width = size_hw
    grey = np.clip(inverse_depth * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    return _turbo(cast(Labels, grey))


def colour_layers(labels: Labels, layers: int, size_hw: tuple[int, int]) -> Picture:
    height, width = size_hw
    full = cast(Labels, cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST))
    # Near layers take the warm end; the very ends of Turbo are too dark to tell apart.
    shades = np.linspace(235, 25, layers).astype(np.uint8)
    return _turbo(shades[full])


def _turbo(grey: Labels) -> Picture:
    return cast(Picture, cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB))
