"""Join the parts of a run: engine, depth source, card."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..engines.api import Engine
from ..engines.build import build
from ..engines.switching import SwitchingEngine
from ..kernels.cuda.card import Card
from ..kernels.errors import InputError
from .card_choice import choose_card
from .config import Settings
from .controls import Controls
from .depth_range import Shot
from .parts import Parts, kernels_of, net_parts, told_of


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
    card = choose_card(settings, film_hw or warm_up_hw)
    if depth_in is None:
        engine = engine or build(settings.engine)
        if film_hw is not None and isinstance(engine, SwitchingEngine):
            engine.settle(film_hw)
        if warm_up_hw is not None:
            engine.infer(np.zeros((*warm_up_hw, 3), np.uint8))
        shots = None
        if settings.depth_range == "shot" and look_through is not None:
            shots = look_through(engine)
        yield net_parts(engine, settings, shots, controls, card)
        return
    if depth_in.suffix.lower() == ".png":
        raise InputError(f"--depth-in {depth_in}: a video needs a depth video, as `pullfocus depth` writes it (.mkv)")
    with _depth_video(depth_in, from_s, card) as parts:
        yield parts


@contextmanager
def _depth_video(path: Path, from_s: float | None, card: Card | None) -> Generator[Parts]:
    from .depth_file import DepthVideo

    kernels = kernels_of(card)
    video = DepthVideo(path, from_s, kernels)
    try:
        yield Parts(kernels, video, f"none (depth from {path.name}){told_of(card)}", video.cuts, card)
    finally:
        video.close()
