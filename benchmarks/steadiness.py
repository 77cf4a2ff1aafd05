"""Does depth hold still where the scene does, and follow at once where it does not?

    .venv/bin/python -m pullfocus.benchmarks.steadiness --video DATA/test_kitchen.csv --json OUT

Four ways of taking the net's depth are compared: as it comes, held steady, and both with the picture's edges, as the
pipeline gives it. The video is one of consecutive frames with measured depth. The still camera is a photo with a
sensor's noise. The step is made: a box appears, moves and goes, under noise of a net's size.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from time import process_time

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ..engines.api import label
from ..engines.atomic import write_text
from ..engines.build import EngineRequest, build
from ..kernels.api import InverseDepth, Picture, load
from ..stream.config import Settings
from ..stream.cuts import CutDetector
from ..stream.frame import Frame
from ..stream.layers import LayerTracker
from ..stream.process import settle_in
from ..stream.stages import DepthStage, NetDepth
from ..stream.steady import DepthMemory
from ..training.data import Pair, open_labelled
from ..training.metrics import Frame as Scored
from ..training.metrics import accuracy, flicker
from ..training.tool import one_line_errors
from .arguments import count
from .machine import describe_machine
from .pictures_720p import panned_photo

SENSOR_NOISE = 4.0  # standard deviation, of 255
NET_NOISE = 0.02  # of inverse depth; the shipped net's is a tenth to a half of it
SETTLED = 10  # frames after which a still scene counts
LAYERS = 6
NEAR, FAR = 0.8, 0.2
NET_HW, PICTURE_HW = (192, 352), (720, 1280)
Take = Callable[[Sequence[Picture], Sequence[InverseDepth]], list[InverseDepth]]


@dataclass(frozen=True, slots=True)
class VideoFigures:
    """flicker: as `pullfocus evaluate --video`; read it beside delta1 and abs_rel on the same frames."""

    flicker: float
    delta1: float
    abs_rel: float


@dataclass(frozen=True, slots=True)
class StillFigures:
    """change: mean |inverse depth − the frame before's|. layer_changes: share of pixels that change their layer."""

    change: float
    layer_changes: float


class Replayed:
    """An engine that gives depths it was given, frame by frame."""

    name = detail = "replayed"

    def __init__(self, depths: Sequence[InverseDepth]) -> None:
        self._depths = iter(depths)

    def infer(self, picture: Picture) -> InverseDepth:
        del picture
        return next(self._depths)


def _at_net_size(steady: bool) -> Take:
    def take(pictures: Sequence[Picture], depths: Sequence[InverseDepth]) -> list[InverseDepth]:
        memory = DepthMemory(load("cpu"), steady)
        return [memory.update(picture, depth) for picture, depth in zip(pictures, depths, strict=True)]

    return take


def _in_pipeline(steady: bool) -> Take:
    def take(pictures: Sequence[Picture], depths: Sequence[InverseDepth]) -> list[InverseDepth]:
        stage = DepthStage(NetDepth(Replayed(depths), load("cpu"), Settings(steady=steady)))
        frames = (Frame(picture, index, index, Fraction(1, 30)) for index, picture in enumerate(pictures))
        return [stage(frame).inverse_depth for frame in frames]

    return take


WAYS: dict[str, Take] = {
    "net": _at_net_size(False),
    "net, steady": _at_net_size(True),
    "pipeline": _in_pipeline(False),
    "pipeline, steady": _in_pipeline(True),
}


def score_video(
    pairs: Sequence[Pair], depths: Sequence[InverseDepth], ways: Sequence[str] = tuple(WAYS)
) -> dict[str, VideoFigures]:
    """Way → its figures on consecutive frames, of which `depths` are the net's. ways: names of WAYS."""
    return {name: _score(pairs, WAYS[name]([pair.image for pair in pairs], depths)) for name in ways}


def _score(pairs: Sequence[Pair], depths: Sequence[InverseDepth]) -> VideoFigures:
    size_wh = pairs[0].target.shape[::-1]
    frames = [
        Scored(pair.image, np.asarray(cv2.resize(depth, size_wh), np.float32), pair.target)
        for pair, depth in zip(pairs, depths, strict=True)
    ]
    found = [accuracy(frame.prediction, frame.truth) for frame in frames]
    return VideoFigures(
        float(np.nanmean([flicker(now, before) for before, now in pairwise(frames)])),
        float(np.nanmean([figures.delta1 for figures in found])),
        float(np.nanmean([figures.abs_rel for figures in found])),
    )


def score_still(
    pictures: Sequence[Picture], depths: Sequence[InverseDepth], ways: Sequence[str] = tuple(WAYS)
) -> dict[str, StillFigures]:
    """Way → its figures on frames of a scene in which nothing happens. ways: names of WAYS."""
    return {name: _hold(WAYS[name](pictures, depths)) for name in ways}


def _hold(depths: Sequence[InverseDepth]) -> StillFigures:
    kernels, tracker = load("cpu"), LayerTracker(load("cpu"), LAYERS)
    labels = [kernels.assign(depth, tracker.update(depth)) for depth in depths][SETTLED:]
    changes = [float(np.abs(now - before).mean()) for before, now in pairwise(depths[SETTLED:])]
    return StillFigures(float(np.mean(changes)), float(np.mean([np.mean(a != b) for a, b in pairwise(labels)])))


def noisy_photo(count: int) -> list[Picture]:
    """A photo as a still camera sees it."""
    rng, photo = np.random.default_rng(0), panned_photo(1)[0].picture8
    return [_noisy(photo, rng) for _ in range(count)]


def frames_to_follow() -> dict[str, int]:
    """Event → how many frames after it 99 % of what changed is within 10 % of the step; 0 = the same frame."""
    rng, memory = np.random.default_rng(0), DepthMemory(load("cpu"), steady=True)
    photo, truth = panned_photo(1)[0].picture8, np.full(NET_HW, FAR, np.float32)
    for _ in range(SETTLED):
        memory.update(_noisy(photo, rng), strayed(truth, rng))
    places = {"appears": (500, SETTLED), "moves": (700, 1), "goes on": (720, SETTLED), "goes": (None, SETTLED)}
    waits: dict[str, int] = {}
    for event, (left, frames) in places.items():
        before, (picture, truth) = truth, _with_box(photo, left)
        changed, wait = before != truth, 0
        for frame in range(frames):
            depth = memory.update(_noisy(picture, rng), strayed(truth, rng))
            if np.mean(np.abs(depth - truth)[changed] < 0.1 * (NEAR - FAR)) < 0.99:
                wait = frame + 1
        waits[event] = wait
    return waits


def _with_box(photo: Picture, left: int | None) -> tuple[Picture, InverseDepth]:
    """A photo, and before it a box with its left side at `left`; and the depth of both."""
    picture, depth = photo.copy(), np.full(NET_HW, FAR, np.float32)
    if left is not None:
        picture[200:560, left : left + 320] = (190, 60, 40)
        scale = NET_HW[1] / PICTURE_HW[1]
        depth[53:149, round(left * scale) : round((left + 320) * scale)] = NEAR
    return picture, depth


def _noisy(picture: Picture, rng: np.random.Generator) -> Picture:
    noise = rng.standard_normal(picture.shape, np.float32)
    return np.clip(picture + np.float32(SENSOR_NOISE) * noise, 0, 255).astype(np.uint8)


def strayed(depth: InverseDepth, rng: np.random.Generator) -> NDArray[np.float32]:
    """With noise as a net's: over whole surfaces."""
    small = rng.normal(0, NET_NOISE, (24, 44)).astype(np.float32)
    return depth + np.asarray(cv2.resize(small, depth.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def cost_ms(frames: int = 60) -> dict[str, float]:
    """Median CPU time of all threads for a 720p frame, by part."""
    memory, cuts = DepthMemory(load("cpu"), steady=True), CutDetector()
    rng, costs = np.random.default_rng(0), {"steady": list[float](), "cuts": list[float]()}
    for frame in panned_photo(frames):
        new = strayed(np.full(NET_HW, FAR, np.float32), rng)
        start_s = process_time()
        cuts.is_cut(frame.picture8)
        middle_s = process_time()
        memory.update(frame.picture8, new)
        costs["steady"].append((process_time() - middle_s) * 1e3)
        costs["cuts"].append((middle_s - start_s) * 1e3)
    return {name: float(np.median(values)) for name, values in costs.items()}


def _print(title: str, figures: dict[str, VideoFigures] | dict[str, StillFigures]) -> None:
    rows = {name: asdict(each) for name, each in figures.items()}
    table = Table(title, *next(iter(rows.values())), box=None)
    for name, row in rows.items():
        table.add_row(name, *(f"{value:.4f}" for value in row.values()))
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--video", type=Path, help="csv of consecutive frames with their measured depth")
    parser.add_argument("--frames", type=count, default=60, help="of the still camera")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    settle_in()  # as the program does
    engine, facts = build(EngineRequest("openvino")), dict[str, object]()
    if options.video is not None:
        pairs = [sample.read() for sample in open_labelled([options.video], "test")]
        video = score_video(pairs, [engine.infer(pair.image) for pair in pairs])
        _print(options.video.stem, video)
        facts["video"] = {"set": options.video.stem, **{name: asdict(each) for name, each in video.items()}}
    pictures = noisy_photo(options.frames)
    still = score_still(pictures, [engine.infer(picture) for picture in pictures])
    _print("still camera", still)
    waits, costs = frames_to_follow(), cost_ms()
    print(f"frames until a step is followed: {waits}; CPU ms a 720p frame: {costs}")
    facts |= {"still": {name: asdict(each) for name, each in still.items()}}
    facts |= {"frames_to_follow": waits, "cpu_ms": costs, "engine": label(engine), "environment": describe_machine()}
    if options.json is not None:
        write_text(options.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
