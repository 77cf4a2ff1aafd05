"""Whether a run's pictures are on a GPU, and if not, why: in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ..engines.api import Say, to_stderr
from ..engines.cuda_errors import library_failures
from ..engines.gpu import find_gpu
from ..engines.plane import PlaneEngine
from ..kernels.cuda.card import Card
from ..kernels.errors import EngineError, PullfocusError
from .config import Settings
from .focus import FocusPuller
from .frame import Frame
from .parts import net_parts, through
from .targets import Fixed

OpenCard: TypeAlias = Callable[[], Card]
TRIAL_HW = (720, 1280)  # of the trial where no size is known
TRIAL_FRAMES = 4  # the second has a past, the third a settled one, and the fourth is recorded


def choose_card(
    settings: Settings, size_hw: tuple[int, int] | None, say: Say = to_stderr, opened: OpenCard | None = None
) -> Card | None:
    """The GPU, tried out with frames of `size_hw`; None: pictures stay on the CPU, and `say` is told why.

    Nothing is said where there is no GPU: choosing an engine has said it. opened: makes the card; None: CuPy's. Raises
    EngineError where `--device cuda` was demanded.
    """
    device = settings.engine.device
    if device == "cpu" or (opened is None and not _has_gpu()):
        return None
    try:
        card = _tried_out((opened or _cupy_card)(), settings, size_hw or TRIAL_HW)
    except PullfocusError as error:
        if device == "cuda":
            raise EngineError(f"--device cuda: {error}; use --device cpu or auto") from error
        say(f"pictures are not refocused on the GPU, but on the CPU: {error}")
        return None
    if (why := card.recording.graphs.refused) is not None:
        say(f"{card.name} makes no CUDA graph of a frame, which takes longer without: {why}")
    return card


def _has_gpu() -> bool:
    try:
        find_gpu()
    except EngineError:
        return False
    return True


def _cupy_card() -> Card:
    from ..kernels.cuda.cupy_card import CupyCard

    with library_failures("CuPy does not start"):
        return CupyCard()


def _tried_out(card: Card, settings: Settings, size_hw: tuple[int, int]) -> Card:
    """The card, once all its kernels are compiled, it has had room for a frame, and its graphs give what kernels do.

    Raises EngineError.
    """
    plain = replace(settings, focus=Fixed(0.5), script=None, face_model=None, depth_range="fixed")
    stages = net_parts(PlaneEngine(settings.engine.quality), plain, card=card).stages(plain, FocusPuller(plain))
    picture = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), np.uint8)
    card.recording.graphs.on_trial = True
    with library_failures(f"{card.name} cannot run the kernels"):
        for index in range(TRIAL_FRAMES):
            through(stages, Frame(picture, index, index, Fraction(1, 25)))
    card.recording.graphs.on_trial = False
    return card
