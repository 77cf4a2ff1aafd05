"""Join the parts of a run: engine, depth source, stages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..engines.api import Engine, label
from ..engines.build import build
from ..engines.switching import SwitchingEngine
from ..kernels.api import Kernels, load
from ..kernels.errors import InputError
from .config import Settings
from .controls import Controls
from .depth_range import Shot
from .focus import FocusPuller
from .pipeline import Stage
from .stages import DepthSource, DepthStage, LayersStage, NetDepth, RefocusStage


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made of; `engine` says where its depth comes from, `cuts` where scenes begin, if that is known."""

    kernels: Kernels
    depth: DepthSource
    engine: str
    cuts: Collection[int] | None = None

    def stages(self, settings: Settings, puller: FocusPuller, controls: Controls | None = None) -> list[Stage]:
        """Depth → layers → refocus. controls: what is turned while they run."""
        return [
            DepthStage(self.depth, self.cuts),
            LayersStage(self.kernels, settings, puller, controls),
            RefocusStage(self.kernels, settings, controls),
        ]


def net_parts(
    engine: Engine, settings: Settings, shots: Sequence[Shot] | None = None, controls: Controls | None = None
) -> Parts:
    """The parts whose depth is an engine's. shots, controls: as `NetDepth` takes them. Raises InputError."""
    kernels = load("cpu")
    return Parts(kernels, NetDepth(engine, kernels, settings, shots, controls), label(engine))


@contextmanager
def prepared(
    settings: Settings,
    depth_in: Path | None = None,
    warm_up_hw: tuple[int, int] | None = None,
    engine: Engine | None = None,
    from_s: float | None = None,
    look_through: Callable[[Engine], Sequence[Shot]] | None = None,
    film_hw: tuple[int, int] | None = None,
    controls: Controls | None = None,
) -> Generator[Parts]:
    """The parts for a stream. With `depth_in` (a depth video) no engine is loaded.

    engine: one that is there already, as `settings` ask for it; else it is built.
    warm_up_hw: run the engine once on a picture of this size, so that the first frame does not wait for it.
    from_s: the stream begins at this time of the film that `depth_in` is of; None: as the film does.
    look_through: finds the film's shots, for `settings` that need them. controls: what is turned while the stream runs.
    film_hw: the size of all frames of a film; what must be built for them is built here, before any thread runs.
    """
    if depth_in is None:
        engine = engine or build(settings.engine)
        if film_hw is not None and isinstance(engine, SwitchingEngine):
            engine.settle(film_hw)
        if warm_up_hw is not None:
            engine.infer(np.zeros((*warm_up_hw, 3), np.uint8))
        shots = None
        if settings.depth_range == "shot" and look_through is not None:
            shots = look_through(engine)
        yield net_parts(engine, settings, shots, controls)
        return
    if depth_in.suffix.lower() == ".png":
        raise InputError(f"--depth-in {depth_in}: a video needs a depth video, as `pullfocus depth` writes it (.mkv)")
    from .depth_file import DepthVideo

    video = DepthVideo(depth_in, from_s)
    try:
        yield Parts(load("cpu"), video, f"none (depth from {depth_in.name})", video.cuts)
    finally:
        video.close()
