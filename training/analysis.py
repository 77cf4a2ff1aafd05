"""How far the method holds, in numbers: layers, smoothing, occlusion, failures. The report names all four.

Everything is measured on the pictures of a set with known depth, one prediction a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from ..kernels.api import InverseDepth, Lens, Picture, RefocusStyle, load
from .data import Pair, Sample
from .metrics import accuracy, boundary_error, boundary_f1, depth_edges, edge_ratio, pair_order
from .metrics.pointwise import align, aligned_depth
from .predict import Predict
from .scoring import full_size, known_mean

LAYER_COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 16)
REFERENCE_LAYERS = 24  # so many look like one circle of confusion for each pixel
APERTURE = 7.0
FILTER_SIZES_PX = (3, 5, 9, 15)
FILTERS = {
    "none": ("none", 0),
    **{f"{kind} {px} px": (kind, px) for kind in ("median", "gaussian") for px in FILTER_SIZES_PX},
}
SCENE_GROUPS = ("plain", "medium", "occluded")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """A picture, its depth, and what the net says of it at the picture's size.

    figures: those of `map_figures` for the prediction. edge_share: of the measured pixels, those on a true depth
    edge, which tells how much stands before something else.
    """

    name: str
    pair: Pair
    prediction: InverseDepth
    figures: Figures
    edge_share: float

    @classmethod
    def of(cls, name: str, pair: Pair, prediction: InverseDepth) -> Case:
        """With figures and edge share measured."""
        return cls(name, pair, prediction, map_figures(prediction, pair.target), _edge_share(pair.target))


def predict_all(predict: Predict, samples: Sequence[Sample]) -> list[Case]:
    """A case for each sample. Raises DataError."""
    cases: list[Case] = []
    for sample in samples:
        pair = sample.read()
        cases.append(Case.of(f"{sample.source}/{sample.name}", pair, full_size(predict, pair)))
    return cases


def _edge_share(truth: InverseDepth) -> float:
    depth = aligned_depth(truth, truth)[1]
    measured = np.isfinite(depth)
    return float(depth_edges(depth, measured).sum() / max(measured.sum(), 1))


def map_figures(prediction: InverseDepth, truth: InverseDepth) -> Figures:
    """pair_order, abs_rel, delta1, edge_ratio, boundary_f1 and dbe_comp_px of one map; NaN where it has none."""
    found = asdict(accuracy(prediction, truth)) | asdict(boundary_error(prediction, truth))
    return {
        "pair_order": pair_order(prediction, truth, np.random.default_rng(0)),
        "abs_rel": found["abs_rel"],
        "delta1": found["delta1"],
        "edge_ratio": edge_ratio(prediction, truth),
        "boundary_f1": boundary_f1(prediction, truth),
        "dbe_comp_px": found["dbe_comp_px"],
    }


def means(rows: Sequence[Figures]) -> Figures:
    """Means of each figure over the rows that can give it; NaN when none can."""
    return {name: known_mean([row[name] for row in rows]) for name in rows[0]}


def by_layer_count(cases: Sequence[Case]) -> dict[int, Figures]:
    """K → what K layers keep: of the inverse depth (share of its variance), and of the refocused picture (dB).

    psnr_db compares with REFERENCE_LAYERS layers; near_share is the share of pixels in the nearest layer.
    """
    rows: dict[int, list[Figures]] = {count: [] for count in LAYER_COUNTS}
    for case in cases:
        focus = float(np.quantile(case.prediction, 0.9))
        reference = _refocused(case, _centres(case.prediction, REFERENCE_LAYERS), focus)
        for count in LAYER_COUNTS:
            centres = _centres(case.prediction, count)
            labels = load("cpu").assign(case.prediction, centres)
            residual = case.prediction - centres[labels]
            rows[count].append(
                {
                    "variance_kept": 1.0 - float(residual.var() / max(float(case.prediction.var()), 1e-12)),
                    "psnr_db": _psnr_db(_refocused(case, centres, focus), reference),
                    "near_share": float(np.mean(labels == 0)),
                }
            )
    return {count: means(values) for count, values in rows.items()}


def _centres(depth: InverseDepth, count: int) -> NDArray[np.float64]:
    fitted = KMeans(n_clusters=count, n_init="auto", random_state=0).fit(depth[::2, ::2].reshape(-1, 1))
    return np.sort(np.asarray(fitted.cluster_centers_, np.float64).ravel())[::-1]


def _refocused(case: Case, centres: NDArray[np.float64], focus: float) -> Picture:
    picture = case.pair.image
    lens = Lens.of_aperture(focus, APERTURE, picture.shape[0])
    return load("cpu").refocus(picture, case.prediction, centres, lens, RefocusStyle())


def _psnr_db(one: Picture, other: Picture) -> float:
    mse = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10.0 * float(np.log10(255.0**2 / mse)) if mse > 0 else float("inf")


def by_filter(cases: Sequence[Case]) -> dict[str, Figures]:
    """Filter and size → figures of the filtered prediction: what smoothing wins, and what it costs at edges."""
    return {name: means([_filtered_figures(case, kind, px) for case in cases]) for name, (kind, px) in FILTERS.items()}


def _filtered_figures(case: Case, kind: str, size_px: int) -> Figures:
    if not size_px:
        return case.figures
    return map_figures(filtered(case.prediction, kind, size_px), case.pair.target)


def filtered(depth: InverseDepth, kind: str, size_px: int) -> InverseDepth:
    """`depth` after the report's median or Gaussian filter of any odd size."""
    if kind == "median":
        # Large medians exist for 8 bits only; 1/255 of the range is far below what a filter changes.
        small = size_px <= 5
        source = depth if small else np.rint(255.0 * depth).astype(np.uint8)
        result = np.asarray(cv2.medianBlur(source, size_px), np.float32)
        return result if small else result / np.float32(255.0)
    return np.asarray(cv2.GaussianBlur(depth, (size_px, size_px), 0), np.float32)


def by_occlusion(cases: Sequence[Case]) -> dict[str, Figures]:
    """Thirds of the pictures by their share of depth edges → figures, and that share."""
    ordered = sorted(cases, key=lambda case: case.edge_share)
    thirds = np.array_split(np.arange(len(ordered)), len(SCENE_GROUPS))
    return {
        group: means([{**ordered[i].figures, "edge_share": ordered[i].edge_share} for i in third])
        for group, third in zip(SCENE_GROUPS, thirds)
        if len(third)
    }


def failures(cases: Sequence[Case], count: int) -> list[Case]:
    """The `count` pictures whose near and far are confused most, worst first."""
    known = [case for case in cases if np.isfinite(case.figures["pair_order"])]
    return sorted(known, key=lambda case: case.figures["pair_order"])[:count]


def error_map(case: Case) -> NDArray[np.float64]:
    """|aligned prediction − truth| of inverse depth, `h w`; NaN = not measured."""
    return np.abs(align(case.prediction, case.pair.target) - case.pair.target)
