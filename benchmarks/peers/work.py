"""What all peers are measured on, made once: clips with our net's depth, a still scene, drawn scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from ...engines.api import Engine
from ...engines.build import EngineRequest, build
from ...kernels.api import InverseDepth, Picture, load
from ...stream.config import DEFAULT_APERTURE, NET_DEAD_ZONE, Settings
from ...stream.focus import FocusPuller
from ...stream.frame import Frame
from ...stream.layers import LayerTracker
from ...stream.stages import DepthStage, NetDepth
from ...stream.targets import Nearest
from ...stream.video_in import VideoSource
from ..pictures_720p import panned_photo
from ..scenes import FAMILIES, REPORTING, SIZE_HW, scene
from .drawn import BLEED, bleed_scene, write_truth
from .stored import Clip, store

PHOTO, STILL = "panned photo", "still"
APERTURE = 2.0 * DEFAULT_APERTURE  # wide, so that what blur does to edges shows
STILL_HW, STILL_FRAMES = (360, 640), 24
SENSOR_NOISE = 4.0  # standard deviation, of 255


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure. size_hw: of the photo's frames. seeds: drawn scenes of each family. samples: of the lens."""

    clips: tuple[Path, ...] = ()
    frames: int = 40
    size_hw: tuple[int, int] = (720, 1280)
    seeds: int = len(REPORTING)
    samples: int = 400
    still_frames: int = STILL_FRAMES


def make_work(plan: Plan, work: Path) -> list[Clip]:
    """Fill the folder `work`. Raises InputError for a clip that cannot be read, before any work is done."""
    for path in plan.clips:
        with VideoSource(str(path)) as source:
            next(source.frames())
    engine = build(EngineRequest("openvino"))
    clips = [store_clip(engine, PHOTO, work / "clips" / "0", _photo(plan.frames, plan.size_hw))]
    for number, path in enumerate(plan.clips, 1):
        with VideoSource(str(path)) as source:
            frames = (frame.picture8 for frame in islice(source.frames(), plan.frames))
            taken = path.stem in (clip.name for clip in clips)
            name = f"{path.stem} {number}" if taken else path.stem
            clips.append(store_clip(engine, name, work / "clips" / str(number), frames))
    store_clip(engine, STILL, work / "still", _still(plan.still_frames))
    truths = work / "truths"
    truths.mkdir()
    for family in FAMILIES:
        for seed in REPORTING[: plan.seeds]:
            write_truth(truths, f"{family} {seed}", scene(family, seed), plan.samples)
    write_truth(truths, BLEED, bleed_scene(SIZE_HW if plan.seeds else STILL_HW), plan.samples)
    return clips


def store_clip(engine: Engine, name: str, folder: Path, pictures: Iterable[Picture]) -> Clip:
    """With our net's depth, held steady, and the focus of `--focus nearest` in the first frame."""
    settings, kernels = Settings(focus=Nearest()), load("cpu")
    stage = DepthStage(NetDepth(engine, kernels, settings))
    ahead = iter(pictures)
    sensed = stage(Frame(next(ahead), 0, 0, Fraction(1, 30)))
    centres = LayerTracker(kernels, settings.layers).update(sensed.inverse_depth)
    focus = FocusPuller(settings).plan(sensed, centres).inverse_depth

    def frames() -> Iterator[tuple[Picture, InverseDepth]]:
        yield sensed.frame.picture8, sensed.inverse_depth
        for index, picture in enumerate(ahead, 1):
            yield picture, stage(Frame(picture, index, index, Fraction(1, 30))).inverse_depth

    return store(name, folder, frames(), focus, APERTURE, NET_DEAD_ZONE)


def _photo(count: int, size_hw: tuple[int, int]) -> Iterator[Picture]:
    return (_resized(frame.picture8, size_hw) for frame in panned_photo(count))


def _still(count: int) -> Iterator[Picture]:
    """A photo as a still camera with a sensor's noise sees it."""
    rng, photo = np.random.default_rng(0), _resized(panned_photo(1)[0].picture8, STILL_HW)
    for _ in range(count):
        noise = rng.standard_normal(photo.shape, np.float32)
        yield np.clip(photo + np.float32(SENSOR_NOISE) * noise, 0, 255).astype(np.uint8)


def _resized(picture: Picture, size_hw: tuple[int, int]) -> Picture:
    if picture.shape[:2] == size_hw:
        return picture
    return cast(Picture, cv2.resize(picture, size_hw[::-1], interpolation=cv2.INTER_AREA))


def described(clips: Sequence[Clip]) -> dict[str, dict[str, object]]:
    """Name → size, frames and focus, for the result file."""
    return {
        clip.name: {"size": f"{clip.size_hw[1]}x{clip.size_hw[0]}", "frames": clip.count, "focus": round(clip.focus, 3)}
        for clip in clips
    }
