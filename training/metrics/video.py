"""Does depth hold still from one frame to the next?

There is no temporal alignment error here: it needs the camera's pose in every frame, which our video set lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..matching import optical_flow
from .pointwise import NAN, Map, aligned_depth

STILL = 0.01  # relative change of the true inverse depth
COLOUR_FALLOFF = 50.0


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """A frame of a video, all `h w`: `image` uint8 RGB, `prediction` and `truth` inverse depth (NaN = unknown)."""

    image: NDArray[np.uint8]
    prediction: Map
    truth: Map


def flicker(now: Frame, before: Frame) -> float:
    """Mean |prediction − previous prediction| where the true inverse depth moved < 1 %, over the prediction's range.

    0 is still. No unit, no alignment. It favours flat predictions, so read it only beside δ1 on the same frames. NaN
    when no measured pixel held still or the prediction is constant.
    """
    still = np.abs(now.truth - before.truth) < STILL * now.truth  # false where either is NaN
    value_range = float(np.max(now.prediction) - np.min(now.prediction))
    if not still.any() or value_range <= 0:
        return NAN
    return float(np.mean(np.abs(now.prediction - before.prediction)[still])) / value_range


def opw(now: Frame, before: Frame) -> float:
    """Optical-flow warping error in metres, 0 is steady (Wang et al. 2022, "Less is More", arXiv:2208.00380).

    Mean over all pixels of w · |depth − previous depth, warped|. w = exp(−50 |colour − previous colour, warped|²),
    colours in [0, 1], drops what came into view or was matched wrongly; w = 0 where the flow leaves the picture. Both
    frames are aligned with one scale and one shift, so a change of scale between them counts. The paper uses learned
    flow; this is DIS (Kroeger et al. 2016, arXiv:1603.03590), so figures compare only with each other. NaN without
    any measurement.
    """
    depth, true = aligned_depth(np.stack((now.prediction, before.prediction)), np.stack((now.truth, before.truth)))
    if not np.isfinite(true).any():
        return NAN
    flow = optical_flow(now.image, before.image)
    height, width = flow.shape[:2]
    y, x = np.indices((height, width), dtype=np.float32)
    x, y = x + flow[..., 0], y + flow[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    colour_error = (now.image.astype(np.float32) - _warped(before.image.astype(np.float32), x, y)) / 255
    weight = np.exp(-COLOUR_FALLOFF * np.sum(colour_error**2, axis=2)) * inside
    return float(np.mean(weight * np.abs(depth[0] - _warped(depth[1], x, y))))


def _warped(picture: Map, x: NDArray[np.float32], y: NDArray[np.float32]) -> Map:
    warped = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, picture.dtype)
