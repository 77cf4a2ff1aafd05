"""Are the depth edges in the right place? Errors in pixels, and precision and recall of occlusion contours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .pointwise import NAN, Map, aligned_depth

Mask = NDArray[np.bool_]

# Canny as in the evaluation script of iBims-1: depth scaled to [0, 1], σ = √2, thresholds on the Sobel gradient.
CANNY_SIGMA_PX = float(np.sqrt(2))
CANNY_LOW, CANNY_HIGH = 0.15, 0.3
CANNY_SCALE = 4096  # cv2.Canny takes 16-bit gradients; a smoothed unit step has a gradient below 3
FARTHEST_PX = 10.0
# Depth ratios of neighbours that make a contour, as in Depth Pro: ten thresholds, weighted by their size.
CONTOUR_RATIOS = np.linspace(1.05, 1.25, 10)


@dataclass(frozen=True, slots=True)
class BoundaryError:
    """Depth boundary errors in pixels, 0–10, 0 is perfect: of predicted edges (acc), of true edges (comp)."""

    dbe_acc_px: float
    dbe_comp_px: float


def boundary_error(prediction: Map, truth: Map) -> BoundaryError:
    """Depth boundary errors of iBims-1 (Koch et al. 2018, arXiv:1805.01328), after alignment in inverse depth.

    Accuracy: mean distance of predicted edges to the nearest true edge, where that is below 10 px; 10 when no
    predicted edge is. Completeness: mean distance of true edges to the nearest predicted edge, 10 px at most (the
    paper's definition; the authors' script also counts the predicted edges in it). Edges: `depth_edges` of either
    depth map, at measured pixels only. Both are NaN when the truth has no edge.
    """
    predicted, true = aligned_depth(prediction, truth)
    measured = np.isfinite(true)
    true_edges = depth_edges(true, measured)
    if not true_edges.any():
        return BoundaryError(NAN, NAN)
    predicted_edges = depth_edges(predicted, measured)
    if not predicted_edges.any():
        return BoundaryError(FARTHEST_PX, FARTHEST_PX)
    to_true = _distance(true_edges)[predicted_edges]
    close = to_true[to_true < FARTHEST_PX]
    to_predicted = np.minimum(_distance(predicted_edges)[true_edges], FARTHEST_PX)
    return BoundaryError(float(np.mean(close)) if len(close) else FARTHEST_PX, float(np.mean(to_predicted)))


def depth_edges(depth: NDArray[np.float64], measured: Mask) -> Mask:
    """Canny edges of a `h w` depth map scaled to [0, 1] by its own range; none where nothing was measured.

    Holes are filled from the nearest measured pixel first, so that their rims are no edges.
    """
    if not measured.any():
        return measured
    low, high = np.min(depth[measured]), np.max(depth[measured])
    if high <= low:
        return np.zeros_like(measured)
    smooth = cv2.GaussianBlur((filled(depth, measured) - low) / (high - low), (0, 0), CANNY_SIGMA_PX)
    dx, dy = (
        np.rint(CANNY_SCALE * np.asarray(cv2.Sobel(smooth, cv2.CV_64F, *order, ksize=3))).astype(np.int16)
        for order in ((1, 0), (0, 1))
    )
    edges = cv2.Canny(dx, dy, CANNY_LOW * CANNY_SCALE, CANNY_HIGH * CANNY_SCALE, L2gradient=True)
    return (np.asarray(edges) > 0) & measured


def boundary_f1(prediction: Map, truth: Map) -> float:
    """Occlusion contours found, 0–1, as in Depth Pro (Bochkovskii et al. 2024, arXiv:2410.02073), without thinning.

    A contour runs between neighbours i → j (right, left, down or up) where depth(j) / depth(i) exceeds a threshold.
    F1 over all directed pairs, averaged over ten thresholds of 1.05–1.25 with weights in proportion to them; a
    threshold that no pair of either map exceeds is left out. Only pairs of two measured pixels count, after alignment
    in inverse depth. NaN when the truth has no contour.
    """
    predicted, true = (_step_ratios(depth) for depth in aligned_depth(prediction, truth))
    steps = np.isfinite(true) & (np.maximum(predicted, true) > CONTOUR_RATIOS[0])  # few: the rest costs no time
    predicted, true = predicted[steps], true[steps]
    if not (true > CONTOUR_RATIOS[0]).any():
        return NAN
    hits = np.array([np.count_nonzero(np.minimum(predicted, true) > t) for t in CONTOUR_RATIOS])
    found = np.array([np.count_nonzero(predicted > t) for t in CONTOUR_RATIOS])
    there = np.array([np.count_nonzero(true > t) for t in CONTOUR_RATIOS])
    used = found + there > 0
    f1 = 2 * hits[used] / (found + there)[used]  # = 2 P R / (P + R)
    return float(np.average(f1, weights=CONTOUR_RATIOS[used]))


def _step_ratios(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """depth(j) / depth(i) of every pair of neighbours, in both directions; NaN where either is unknown."""
    across, down = depth[:, 1:] / depth[:, :-1], depth[1:] / depth[:-1]
    return np.concatenate([ratio.ravel() for ratio in (across, 1 / across, down, 1 / down)])


def filled(depth: NDArray[np.float64], measured: Mask) -> NDArray[np.float64]:
    """`depth` with every unmeasured pixel replaced by the nearest measured one."""
    if measured.all():
        return depth
    _, nearest = cv2.distanceTransformWithLabels(
        (~measured).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    labels = np.asarray(nearest, np.int32)
    values = np.zeros(int(np.max(labels)) + 1)
    values[labels[measured]] = depth[measured]
    return values[labels]


def _distance(edges: Mask) -> NDArray[np.float32]:
    """Euclidean distance of every pixel to the nearest edge, `h w`, in px."""
    return np.asarray(cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
