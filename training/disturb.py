"""Worse pictures of the same scene: wrong exposure, sensor noise, a soft lens, a poor codec.

What a net says of them is compared with the depth of the clean picture (after Hendrycks & Dietterich
2019, arXiv:1903.12261, with the steps named in the units of the disturbance).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]  # h w 3

GAMMAS = (0.4, 0.6, 1.7, 2.5)  # of the exposure: under 1 is brighter
NOISES = (0.02, 0.05, 0.1)  # σ as a share of white
BLURS_PX = (1.0, 2.0, 4.0)  # σ at a picture 320 px wide
QUALITIES = (40, 20, 10)  # of JPEG


def with_gamma(picture: Rgb, gamma: float) -> Rgb:
    """Every channel to the power of `gamma`."""
    table = (255.0 * (np.arange(256) / 255.0) ** gamma).round().astype(np.uint8)
    return table[picture]


def with_noise(picture: Rgb, sigma: float) -> Rgb:
    """White noise, the same for every picture of a size."""
    noise = np.random.default_rng(0).normal(0.0, 255.0 * sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).round().astype(np.uint8)


def with_blur(picture: Rgb, sigma_px: float) -> Rgb:
    """A Gaussian, of the same share of the width for every size."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px * picture.shape[1] / 320), np.uint8)


def with_jpeg(picture: Rgb, quality: int) -> Rgb:
    """Through a JPEG file."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)  # RGB went in as if it were BGR, and comes out so
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


DISTURBANCES: dict[str, Callable[[Rgb], Rgb]] = {
    **{f"gamma {value}": lambda picture, value=value: with_gamma(picture, value) for value in GAMMAS},
    **{f"noise {value}": lambda picture, value=value: with_noise(picture, value) for value in NOISES},
    **{f"blur {value:g} px": lambda picture, value=value: with_blur(picture, value) for value in BLURS_PX},
    **{f"JPEG {value}": lambda picture, value=value: with_jpeg(picture, value) for value in QUALITIES},
}
