"""How sharp is the prediction where the truth has an edge?"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .pointwise import NAN, Map

MIN_RELATIVE_SOBEL = 1.2  # the 3 × 3 Sobel kernel gives 4 times the height of a straight step
NEAR_PX, FAR_PX = 3, 5


def edge_ratio(prediction: Map, truth: Map) -> float:
    """Mean gradient of the prediction at true edges over its mean 3–5 px away from the nearest; at least 0.

    A true edge is a measured pixel whose Sobel gradient of inverse depth is over 1.2 times its inverse depth, with
    measurements all around. Distances are chessboard distances. 1 = no edge in the prediction; a soft edge a little
    more, a step with nothing beside it infinite. Scale and shift do not matter. NaN when the truth has no edge, or
    none with measurements beside it.
    """
    measured = np.isfinite(truth) & (truth > 0)
    edge = measured & (_gradient(truth) > MIN_RELATIVE_SOBEL * truth)
    if not edge.any():
        return NAN
    distance = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_C, cv2.DIST_MASK_3)
    beside = measured & (distance >= NEAR_PX) & (distance <= FAR_PX)
    if not beside.any():
        return NAN
    gradient = _gradient(prediction)
    at_edge, away = float(np.mean(gradient[edge])), float(np.mean(gradient[beside]))
    if away > 0:
        return at_edge / away
    return float("inf") if at_edge > 0 else 1.0


def _gradient(x: Map) -> NDArray[np.float64]:
    """Magnitude of the 3 × 3 Sobel gradient, `h w`; NaN beside NaN."""
    x = x.astype(np.float64)
    return np.hypot(cv2.Sobel(x, cv2.CV_64F, 1, 0, ksize=3), cv2.Sobel(x, cv2.CV_64F, 0, 1, ksize=3))
