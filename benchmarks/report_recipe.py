"""The recipe of the student report that this project grew from: the baseline to measure against.

Depth is taken to 8 bits, median and Gaussian filtered, cut into five layers by a full K-Means on
every pixel of every frame; the picture is blurred once per layer and the layers are pasted together.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from ..kernels.api import InverseDepth, Labels, Picture

LAYERS = 5
SMOOTHING_PX = 5
KERNELS_PX = (0, 9, 17, 25, 33)  # Gaussian size by distance from the sharp layer, in layers; 0 = identity


def refocus(picture: Picture, inverse_depth: InverseDepth, sharp_layer: int = 0) -> Picture:
    """Blur a picture as the report does.

    picture: `h w 3` uint8. inverse_depth: `h w` float32, any range, larger = nearer.
    sharp_layer: which of the five layers stays sharp, 0 = nearest.
    """
    return composite(picture, layers(grey_depth(inverse_depth)), sharp_layer)


def grey_depth(inverse_depth: InverseDepth) -> NDArray[np.uint8]:
    """Depth stretched to 0–255, then median and Gaussian filtered: `h w` uint8."""
    grey = cv2.normalize(inverse_depth, np.empty_like(inverse_depth), 0.0, 255.0, cv2.NORM_MINMAX).astype(np.uint8)
    grey = cv2.medianBlur(grey, SMOOTHING_PX)
    return cast(NDArray[np.uint8], cv2.GaussianBlur(grey, (SMOOTHING_PX, SMOOTHING_PX), 0))


def layers(grey: NDArray[np.uint8]) -> Labels:
    """The layer of every pixel, `h w` uint8, 0 = brightest mean = nearest."""
    found = KMeans(n_clusters=LAYERS, n_init="auto", random_state=0).fit(grey.reshape(-1, 1))
    near_to_far = np.argsort(-found.cluster_centers_[:, 0])
    rank = np.empty(LAYERS, np.uint8)
    rank[near_to_far] = np.arange(LAYERS)
    return rank[found.labels_].reshape(grey.shape)


def composite(picture: Picture, labels: Labels, sharp_layer: int = 0) -> Picture:
    """Paste together one blurred copy of the whole picture per layer, by boolean masks."""
    out = np.empty_like(picture)
    for layer in range(LAYERS):
        size = KERNELS_PX[abs(layer - sharp_layer)]
        blurred = cv2.GaussianBlur(picture, (size, size), 0) if size else picture
        mask = labels == layer
        out[mask] = blurred[mask]
    return out
