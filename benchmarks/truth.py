"""How near does refocus come to what a thin lens shows?

    .venv/bin/python -m pullfocus.benchmarks.truth --json OUT

PSNR in dB on 8-bit sRGB against `thin_lens.photograph`, for the student report's recipe, a plain gather (each
pixel the mean of the picture over its own circle of confusion), and the renderer: in both qualities, with evenly
spaced planes, and with depth as bad as a net's, with and without the edges of the picture.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ..engines.atomic import write_text
from ..kernels.api import Centres, InverseDepth, Lens, Picture, Quality, RefocusStyle, load
from ..stream.layers import LayerTracker
from ..training.tool import one_line_errors
from . import report_recipe
from .machine import describe_machine
from .processes import each
from .scenes import FAMILIES, REPORTING, TUNING, scene
from .thin_lens import SAMPLES, Scene, photograph, to_linear, to_srgb

LAYERS = 6
SMALLER, SHIFT_PX, NOISE = 4, 2.0, 0.01  # what a net does to depth
EDGE_STEP = 0.03  # of inverse depth between neighbours
BAND_PX = 20
SHARP_PX = 0.5  # a circle of confusion up to this radius is in focus
AREAS = ("all", "edge band", "in focus")
Renderer = Callable[[Scene, Picture, InverseDepth], Picture]


def report(shot: Scene, picture: Picture, inverse_depth: InverseDepth) -> Picture:
    """The report's recipe, its sharp layer the one of the focus."""
    labels = report_recipe.layers(report_recipe.grey_depth(inverse_depth))
    means = [float(inverse_depth[labels == k].mean()) for k in range(report_recipe.LAYERS)]
    return report_recipe.composite(picture, labels, int(np.argmin(np.abs(np.array(means) - shot.focus))))


def gather(shot: Scene, picture: Picture, inverse_depth: InverseDepth) -> Picture:
    """Each pixel becomes the mean of its own circle of confusion, whatever that circle covers, in linear light."""
    light = to_linear(picture / np.float32(255.0))
    radius_px = shot.aperture / 100.0 * picture.shape[0] * np.abs(inverse_depth - shot.focus)
    steps = np.arange(int(np.ceil(radius_px.max())) + 1)
    out = np.zeros_like(light)
    for step in steps:  # a stack of blurred pictures, interpolated
        weight = np.clip(1.0 - np.abs(radius_px - step), 0.0, 1.0)
        if weight.any():
            out += cv2.filter2D(light, -1, _disc(int(step)), borderType=cv2.BORDER_REFLECT) * weight[..., None]
    return to_srgb(out)


def _disc(radius_px: int) -> NDArray[np.float32]:
    across = np.arange(-radius_px, radius_px + 1)
    disc = (across[:, None] ** 2 + across[None, :] ** 2 <= (radius_px + 0.25) ** 2).astype(np.float32)
    return disc / disc.sum()


def ours(quality: Quality, place: Callable[[InverseDepth], Centres] | None = None) -> Renderer:
    """The product's layers and its refocus. place: other centres than those of its layers."""

    def render(shot: Scene, picture: Picture, inverse_depth: InverseDepth) -> Picture:
        kernels = load("cpu")
        centres = (place or LayerTracker(kernels, LAYERS).update)(inverse_depth)
        lens = Lens.of_aperture(shot.focus, shot.aperture, picture.shape[0])
        return kernels.refocus(picture, inverse_depth, centres, lens, RefocusStyle("disc", quality))

    return render


def evenly_spaced(inverse_depth: InverseDepth) -> Centres:
    """As many centres as the product's layers, from the nearest depth to the farthest."""
    return np.linspace(float(inverse_depth.max()), float(inverse_depth.min()), LAYERS)


def as_a_net_tells(inverse_depth: InverseDepth) -> InverseDepth:
    """Depth four times smaller, soft, shifted by 2 px and noisy."""
    height, width = inverse_depth.shape
    shift = np.array([[1.0, 0.0, SHIFT_PX], [0.0, 1.0, 0.0]])
    moved = cv2.warpAffine(inverse_depth, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(moved, (width // SMALLER, height // SMALLER), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).normal(0.0, NOISE, small.shape)
    return np.clip(cv2.GaussianBlur(small, (0, 0), 1.0) + noise, 0.0, 1.0).astype(np.float32)


def from_a_net(quality: Quality, edges: bool) -> Renderer:
    """The same with a net's depth, enlarged with or without the edges of the picture."""

    def render(shot: Scene, picture: Picture, inverse_depth: InverseDepth) -> Picture:
        small, kernels = as_a_net_tells(inverse_depth), load("cpu")
        size_hw = picture.shape[0], picture.shape[1]
        full = kernels.upsample(small, picture) if edges else kernels.resize(small, size_hw)
        return ours(quality)(shot, picture, full)

    return render


RENDERERS: dict[str, Renderer] = {
    "report": report,
    "gather": gather,
    "fast": ours("fast"),
    "fine": ours("fine"),
    "fine, even planes": ours("fine", evenly_spaced),
    "fine, net's depth, bilinear": from_a_net("fine", edges=False),
    "fine, net's depth": from_a_net("fine", edges=True),
}


def edge_band(inverse_depth: InverseDepth, reach_px: float) -> NDArray[np.bool_]:
    """What lies within `reach_px` of a step of at least EDGE_STEP between neighbours, `h w`."""
    steps = np.maximum(
        np.abs(np.diff(inverse_depth, axis=0, prepend=inverse_depth[:1])),
        np.abs(np.diff(inverse_depth, axis=1, prepend=inverse_depth[:, :1])),
    )
    flat = steps < EDGE_STEP
    if flat.all():
        return ~flat
    return np.asarray(cv2.distanceTransform(flat.astype(np.uint8), cv2.DIST_L2, 5)) <= reach_px


def areas(shot: Scene, inverse_depth: InverseDepth) -> dict[str, NDArray[np.bool_]]:
    """Where each figure is taken: everywhere, within BAND_PX of a depth edge, and the rest of what is in focus."""
    band = edge_band(inverse_depth, BAND_PX)
    radius_px = shot.aperture / 100.0 * inverse_depth.shape[0] * np.abs(inverse_depth - shot.focus)
    return {"all": np.ones_like(band), "edge band": band, "in focus": ~band & (radius_px <= SHARP_PX)}


def psnr_db(one: Picture, other: Picture, area: NDArray[np.bool_]) -> float:
    """NaN where the area is empty; at most 99."""
    if not area.any():
        return float("nan")
    mse = float(np.mean((one[area].astype(np.float64) - other[area]) ** 2))
    return min(10.0 * float(np.log10(255.0**2 / mse)), 99.0) if mse > 0 else 99.0


Scores = dict[str, dict[str, float]]  # renderer → area → PSNR in dB


@dataclass(frozen=True, slots=True)
class Look:
    """How each scene is looked at.

    renderers: names of RENDERERS. samples: points of the aperture. smaller: the scenes are made so many times smaller.
    processes: as of `processes.each`.
    """

    renderers: tuple[str, ...] = tuple(RENDERERS)
    samples: int = SAMPLES
    smaller: int = 1
    processes: int = 0


def measure(families: Sequence[str], seeds: Sequence[int], look: Look | None = None) -> dict[str, Scores]:
    """Family → renderer → area → mean PSNR over the seeds, in dB. look: None = as the committed figures are taken."""
    look = look or Look()
    cases = [(family, seed) for family in families for seed in seeds]
    scores = each(partial(_measure_one, look), cases, look.processes)
    rows: dict[str, Scores] = {}
    for family in families:
        rows[family] = _mean([score for (name, _), score in zip(cases, scores, strict=True) if name == family])
    return rows


def _measure_one(look: Look, case: tuple[str, int]) -> Scores:
    if look.processes != 1:
        cv2.setNumThreads(1)  # a process for each core
    shot = scene(*case)
    if look.smaller > 1:
        shot = shot.shrunk(look.smaller)
    return score(shot, photograph(shot, look.samples), {name: RENDERERS[name] for name in look.renderers})


def score(shot: Scene, truth: Picture, renderers: Mapping[str, Renderer]) -> Scores:
    """Renderer → area → PSNR on one scene. truth: what the lens shows of it; in focus, the picture itself counts."""
    picture, depth = shot.picture(), shot.inverse_depth()
    where = areas(shot, depth)
    values: Scores = {}
    for name, render in renderers.items():
        result = render(shot, picture, depth)
        values[name] = {a: psnr_db(result, picture if a == "in focus" else truth, where[a]) for a in AREAS}
    return values


def _mean(scores: Sequence[Scores]) -> Scores:
    """Over scenes or families that can give a figure."""
    return {n: {a: float(np.nanmean([score[n][a] for score in scores])) for a in AREAS} for n in scores[0]}


def means(rows: Mapping[str, Scores]) -> Scores:
    """Over the families."""
    return _mean(list(rows.values()))


def table(rows: dict[str, Scores]) -> Table:
    """A line for each family, and their mean."""
    heads = (f"{name}\n{'/'.join(AREAS)}" for name in RENDERERS)
    result = Table("PSNR, dB", *heads, box=None)
    for family, values in {**rows, "mean": means(rows)}.items():
        result.add_row(family, *("/".join(f"{values[n][a]:.1f}" for a in AREAS) for n in RENDERERS))
    return result


def main() -> None:
    """Print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="only this one; repeatable")
    parser.add_argument("--tuning", action="store_true", help="the scenes for choosing settings, not for figures")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = TUNING if options.tuning else REPORTING
    rows = measure(options.family or list(FAMILIES), seeds)
    Console().print(table(rows))
    if options.json is not None:
        facts = {"seeds": seeds, "layers": LAYERS, "psnr_db": rows, **describe_machine()}
        write_text(options.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
