"""The eight figures of the student report, for any picture.

Everything is drawn from what the nets and kernels give; nothing is retouched. K-Means is the report's
(scikit-learn, every pixel of one frame), so figures 5 and 6 show its arbitrary and then its ordered classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from ..engines.atomic import written_aside
from ..kernels.api import InverseDepth, Labels, Lens, Picture, RefocusStyle, load

MEDIANS_PX, GAUSSIANS_PX = (3, 5), (3, 5, 9)
SMOOTH_PX = 5  # both filters, as in the report
DEPTH_COLOURS, LAYER_COLOURS = "turbo", "viridis"
PANEL_INCHES = 3.2


@dataclass(frozen=True, slots=True, repr=False)
class Scene:
    """What the figures show. All maps have the picture's size; inverse depth in [0, 1], 1 = nearest.

    predictions: by the name of their net, the first is the one that is refocused with.
    focus: the number of the sharp layer, 1 = nearest. aperture: as in `pullfocus image`.
    """

    picture: Picture
    predictions: dict[str, InverseDepth]
    truth: InverseDepth | None = None
    layers: int = 5
    focus: int = 1
    aperture: float = 7.0

    @property
    def depth(self) -> InverseDepth:
        return next(iter(self.predictions.values()))


@dataclass(frozen=True, slots=True)
class _Clusters:
    """`raw`: labels as K-Means numbers them. `ordered`: by mean inverse depth, 0 = nearest; `centres` descend."""

    raw: Labels
    ordered: Labels
    centres: NDArray[np.float64]


def write_figures(scene: Scene, folder: Path) -> list[Path]:
    """Write `1_pair.png` … `8_panels.png`. Raises OutputError."""
    written: list[Path] = []
    for name, draw in FIGURES.items():
        figure = draw(scene)
        path = folder / f"{name}.png"
        with written_aside(path) as aside:
            figure.savefig(aside, dpi=130)
        written.append(path)
    return written


def pair(scene: Scene) -> Figure:
    """Picture and measured depth; where none was measured, the prediction, and the title says so."""
    if scene.truth is not None:
        return _row([scene.picture, scene.truth], ["picture", "measured inverse depth"])
    return _row([scene.picture, scene.depth], ["picture", "predicted inverse depth (none measured)"])


def three_panels(scene: Scene) -> Figure:
    """Picture, measured and predicted inverse depth of the first net."""
    name = next(iter(scene.predictions))
    if scene.truth is None:
        return _row([scene.picture, scene.depth], ["picture", name])
    return _row([scene.picture, scene.truth, scene.depth], ["picture", "measured", name])


def all_predictions(scene: Scene) -> Figure:
    """The same picture through every net."""
    return _row([scene.picture, *scene.predictions.values()], ["picture", *scene.predictions])


def smoothing(scene: Scene) -> Figure:
    """Median and Gaussian filters of several sizes."""
    smooth = load("cpu").smooth
    images = [scene.depth, *(smooth(scene.depth, px, 0) for px in MEDIANS_PX)]
    images += [smooth(scene.depth, 0, px) for px in GAUSSIANS_PX]
    titles = ["unfiltered", *(f"median {px} px" for px in MEDIANS_PX), *(f"Gaussian {px} px" for px in GAUSSIANS_PX)]
    return _row(images, titles, columns=3)


def raw_clusters(scene: Scene) -> Figure:
    """K-Means classes as they come, without and with smoothing before."""
    return _cluster_figure(scene, lambda clusters: clusters.raw, "classes as K-Means numbers them")


def ordered_clusters(scene: Scene) -> Figure:
    """The same classes, ordered by their mean inverse depth."""
    return _cluster_figure(scene, lambda clusters: clusters.ordered, "layers, near to far")


def before_after(scene: Scene) -> Figure:
    """The picture and its refocused twin."""
    return _row([scene.picture, _refocused(scene)], ["before", f"after: layer {scene.focus} in focus"])


def four_panels(scene: Scene) -> Figure:
    """Source, inverse depth, layers, refocused."""
    layers = _cluster(_smoothed(scene.depth), scene.layers).ordered
    images = [scene.picture, scene.depth, layers, _refocused(scene)]
    return _row(images, ["source", "inverse depth", "layers", "refocused"], columns=2)


FIGURES: dict[str, Callable[[Scene], Figure]] = {
    "1_pair": pair,
    "2_three_panels": three_panels,
    "3_nets": all_predictions,
    "4_smoothing": smoothing,
    "5_clusters": raw_clusters,
    "6_ordered": ordered_clusters,
    "7_before_after": before_after,
    "8_panels": four_panels,
}


def _cluster_figure(scene: Scene, choose: Callable[[_Clusters], Labels], what: str) -> Figure:
    maps = [scene.depth, _smoothed(scene.depth)]
    labels = [choose(_cluster(depth, scene.layers)) for depth in maps]
    return _row([scene.depth, *labels], ["inverse depth", f"{what}, raw depth", f"{what}, smoothed depth"])


def _smoothed(depth: InverseDepth) -> InverseDepth:
    return load("cpu").smooth(depth, SMOOTH_PX, SMOOTH_PX)


def _cluster(depth: InverseDepth, count: int) -> _Clusters:
    fitted = KMeans(n_clusters=count, n_init="auto", random_state=0).fit(depth.reshape(-1, 1))
    raw = np.asarray(fitted.labels_, np.uint8).reshape(depth.shape)
    means = np.asarray(fitted.cluster_centers_, np.float64).ravel()
    order = np.argsort(-means)  # nearest first
    rank = np.empty(count, np.uint8)
    rank[order] = np.arange(count, dtype=np.uint8)
    return _Clusters(raw, rank[raw], means[order])


def _refocused(scene: Scene) -> Picture:
    depth = _smoothed(scene.depth)
    centres = _cluster(depth, scene.layers).centres
    lens = Lens.of_aperture(float(centres[scene.focus - 1]), scene.aperture, scene.picture.shape[0])
    return load("cpu").refocus(scene.picture, depth, centres, lens, RefocusStyle())


def _row(images: Sequence[NDArray[Any]], titles: Sequence[str], columns: int = 0) -> Figure:
    columns = columns or len(images)
    rows = -(-len(images) // columns)
    height, width = images[0].shape[:2]
    size = (PANEL_INCHES * columns, rows * (PANEL_INCHES * height / width + 0.4))
    figure = Figure(figsize=size, layout="constrained")
    for index, (image, title) in enumerate(zip(images, titles)):
        _show(figure.add_subplot(rows, columns, index + 1), image, title)
    return figure


def _show(axes: Axes, image: NDArray[Any], title: str) -> None:
    if image.ndim == 3:
        axes.imshow(image)
    elif image.dtype == np.uint8:
        axes.imshow(image, cmap=LAYER_COLOURS, interpolation="nearest")
    else:
        axes.imshow(image, cmap=DEPTH_COLOURS, vmin=0.0)
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()
