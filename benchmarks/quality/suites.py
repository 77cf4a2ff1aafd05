"""The suites: what each of them measures, of the product alone, as what is looked at → measure → figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import get_args

import cv2
import numpy as np

from ...engines.checkpoint import locate
from ...engines.openvino_engine import OpenVinoEngine
from ...kernels.api import Quality
from ...training.data import Sample, open_labelled
from ...training.scoring import score
from .. import edges, steadiness, truth
from ..peers.drawn import bleed_scene, leaked, truth_of
from ..scenes import FAMILIES, SIZE_HW
from ..thin_lens import SAMPLES
from .drawn_set import drawn_set, hand_held
from .request import Found, Request, Settings, Suite

OURS = ("fast", "fine", "fine, net's depth")
SMALL_SAMPLES = 48  # points of the aperture: a circle there is up to 15 px wide
SMALL_FAMILIES = tuple(family for family in FAMILIES if family != "blobs")  # of ten sheets: half of all the time
EVERY = 27  # of NYU's 654 test pictures, in the small version
STEADY = "pipeline, steady"  # as the product takes depth
FLAT = "overlap"  # a family of sheets without slant, whose depth does not change when the camera moves
EDGE_FIGURES = ("mae_near", "wrong_near", "mae_away", "boundary_f1")
DEPTH_FIGURES = ("pair_order", "delta1", "abs_rel", "edge_ratio")


@cache
def net(settings: Settings) -> OpenVinoEngine:
    """The depth net, compiled once. Raises CheckpointError."""
    return OpenVinoEngine(locate(settings.model), precision=settings.precision)


def families(settings: Settings) -> tuple[str, ...]:
    """Of the drawn scenes."""
    return SMALL_FAMILIES if settings.small else tuple(FAMILIES)


def lens(request: Request) -> Found:
    """How near refocus comes to a thin lens, and how much colour leaks, given true depth or one as bad as a net's."""
    settings = request.settings
    samples = SMALL_SAMPLES if settings.small else SAMPLES
    look = truth.Look(OURS, samples, settings.smaller, processes=1 if settings.small else 0)
    means = truth.means(truth.measure(families(settings), settings.seeds, look))
    found = {name: {"psnr_db": each["all"], "psnr_edge_db": each["edge band"]} for name, each in means.items()}
    for quality, share in _leaks(settings.smaller, samples).items():
        found[quality]["leaked"] = share
    return found


def _leaks(smaller: int, samples: int) -> dict[Quality, float]:
    """Quality → share of a sharp thing's colour in what is behind it."""
    shot = bleed_scene((SIZE_HW[0] // smaller, SIZE_HW[1] // smaller))
    made = truth_of(shot.name, shot, samples)
    band = truth.edge_band(made.inverse_depth, truth.BAND_PX)
    return {
        quality: leaked(truth.ours(quality)(shot, made.picture, made.inverse_depth), made, band)
        for quality in get_args(Quality)
    }


def depth_edges(request: Request) -> Found:
    """Depth as bad as a net's, enlarged with the edges of the picture; on real pictures also the net's own depth."""
    settings, real = request.settings, request.real_set("edges")
    drawn = drawn_set(families(settings), settings.seeds, settings.smaller)
    found = {"drawn, made bad": _mended(edges.measure(drawn, None), edges.MADE_BAD)}
    if real is not None:
        measured = edges.measure(open_labelled([real], "test"), net(settings))
        found["Middlebury, made bad"] = _mended(measured, edges.MADE_BAD)
        found["Middlebury, the net's"] = _mended(measured, edges.NET)
    return found


def _mended(measured: Mapping[str, Mapping[str, Mapping[str, edges.Figures]]], source: str) -> dict[str, float]:
    mean = edges.mean(measured[source]["picture's edges"])
    return {name: float(getattr(mean, name)) for name in EDGE_FIGURES}


def temporal(request: Request) -> Found:
    """Does depth hold still where the scene does, and follow at once where it does not?"""
    settings, real = request.settings, request.real_set("temporal")
    found = {"drawn clip": _drawn_clip(settings)}
    infer = net(settings).infer
    pictures = steadiness.noisy_photo(20 if settings.small else 60)
    still = steadiness.score_still(pictures, [infer(picture) for picture in pictures], (STEADY,))
    found["still camera"] = {"layer_changes": still[STEADY].layer_changes}
    found["step"] = {"frames_to_follow": float(max(steadiness.frames_to_follow().values()))}
    if real is not None:
        pairs = [sample.read() for sample in open_labelled([real], "test")]
        scored = steadiness.score_video(pairs, [infer(pair.image) for pair in pairs], (STEADY,))[STEADY]
        found["kitchen, 120 frames"] = {"flicker": scored.flicker, "delta1": scored.delta1}
    return found


def _drawn_clip(settings: Settings) -> dict[str, float]:
    """A hand-held clip whose depth is known, and which strays as a net's does."""
    rng, scores = np.random.default_rng(0), list[steadiness.VideoFigures]()
    for seed in settings.seeds:
        pairs = hand_held(FLAT, seed, settings.smaller, 16 if settings.small else 40)
        small = [np.asarray(cv2.resize(pair.target, steadiness.NET_HW[::-1]), np.float32) for pair in pairs]
        depths = [steadiness.strayed(depth, rng) for depth in small]
        scores.append(steadiness.score_video(pairs, depths, (STEADY,))[STEADY])
    return {name: float(np.mean([getattr(each, name) for each in scores])) for name in ("flicker", "delta1")}


def depth_table(request: Request) -> Found:
    """What the net knows of depth: of drawn scenes only whether it still answers as it did."""
    settings, real = request.settings, request.real_set("depth")
    infer = net(settings).infer
    drawn = drawn_set(families(settings), settings.seeds, settings.smaller)
    found = {"drawn scenes": {"pair_order_drawn": score(infer, drawn).pair_order}}
    if real is not None:
        samples: Sequence[Sample] = open_labelled([real], "test")[:: EVERY if settings.small else 1]
        known = score(infer, samples)
        found[f"NYU, {len(samples)} pictures"] = {name: float(getattr(known, name)) for name in DEPTH_FIGURES}
    return found


RUNNERS: Mapping[Suite, Callable[[Request], Found]] = {
    "lens": lens,
    "edges": depth_edges,
    "temporal": temporal,
    "depth": depth_table,
}
