"""Random crops and colours for training; geometry keeps the meaning of metric depth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .pairs import Pair


def random_view(
    pair: Pair, size_hw: tuple[int, int], rng: Generator, smallest_crop: float = 0.6, colours: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A random crop of `pair` at `size_hw`, maybe mirrored, with random colours of strength `colours` in [0, 1].

    Zooming into a metric picture by 1/s looks like standing 1/s nearer, so inverse depth is divided
    by the crop scale s (the canonical-camera transform of Metric3D, Yin et al. 2023, arXiv:2307.10984).
    """
    image, target, scale = _crop(pair, size_hw, rng, smallest_crop)
    if pair.metric:
        target = np.minimum(target / np.float32(scale), np.float32(1.0))
    if rng.random() < 0.5:
        image, target = image[:, ::-1], target[:, ::-1]
    return _colours(np.ascontiguousarray(image), rng, colours), np.ascontiguousarray(target)


def _crop(
    pair: Pair, size_hw: tuple[int, int], rng: Generator, smallest: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32], float]:
    h, w = pair.target.shape
    aspect = size_hw[1] / size_hw[0] * rng.uniform(0.9, 1.1)
    scale = rng.uniform(smallest, 1.0)
    crop_h = min(h * scale, w * scale / aspect)
    crop_w = min(crop_h * aspect, w)
    ch, cw = max(int(crop_h), 16), max(int(crop_w), 16)
    y, x = int(rng.integers(0, h - ch + 1)), int(rng.integers(0, w - cw + 1))
    box = (slice(y, y + ch), slice(x, x + cw))
    dsize = (size_hw[1], size_hw[0])
    image = cv2.resize(pair.image[box], dsize, interpolation=cv2.INTER_AREA if ch > size_hw[0] else cv2.INTER_LINEAR)
    # Nearest keeps NaN holes and depth edges as they are: no invented depth between two surfaces.
    target = cv2.resize(pair.target[box], dsize, interpolation=cv2.INTER_NEAREST)
    return image.astype(np.uint8, copy=False), target.astype(np.float32, copy=False), (ch * cw / (h * w)) ** 0.5


def _colours(image: NDArray[np.uint8], rng: Generator, strength: float) -> NDArray[np.uint8]:
    if rng.random() < 0.2 * strength:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.2))).astype(np.uint8, copy=False)
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = 1.0 + strength * float(rng.uniform(-1.0, 0.4))  # saturation
        image = cv2.addWeighted(image, keep, grey, 1.0 - keep, 0.0).astype(np.uint8, copy=False)
    image = cv2.LUT(image, _tone_curves(rng, strength)).astype(np.uint8, copy=False)
    if rng.random() < 0.3 * strength:
        noise = np.empty(image.shape, np.int8)
        cv2.randn(noise, np.zeros(3), np.full(3, rng.uniform(1.0, 8.0)))
        image = cv2.add(image, noise, dtype=cv2.CV_8U).astype(np.uint8, copy=False)
    return image


def _tone_curves(rng: Generator, strength: float) -> NDArray[np.uint8]:
    """Gamma, white balance, contrast and brightness as one look-up table, 256 1 3."""
    x = np.linspace(0.0, 1.0, 256)[:, None] ** np.exp(rng.normal(0.0, 0.25 * strength))
    x = x * (1.0 + strength * rng.uniform(-0.13, 0.12, size=3))
    x = (x - 0.5) * (1.0 + strength * rng.uniform(-0.25, 0.25)) + 0.5 + strength * rng.uniform(-0.1, 0.1)
    return (np.clip(x, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)[:, None]
