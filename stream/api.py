"""For those who have frames, not files: refocus pictures in memory, with the net's depth or with their own.

The stages are those of `pullfocus video` and `pullfocus image`, so the same frames and settings give the same bytes on
the CPU, and the same but for rounding where a GPU takes part.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ..engines.build import EngineRequest, build
from ..kernels.api import InverseDepth, KernelShape, Picture, Quality, load
from ..kernels.errors import InputError
from .card_choice import OpenCard, choose_card
from .config import DEFAULT_APERTURE, DEFAULT_BLADES, Settings
from .focus import FocusPuller
from .frame import Frame, Layered, Sensed
from .in_steps import in_steps
from .parts import net_parts
from .stages import LayersStage, RefocusStage
from .targets import Auto, Fixed, LayerNumber, Nearest, Point, Target, parse_focus

Focus: TypeAlias = Target | float | np.floating | str  # a target, an inverse depth, or what `--focus` takes


class Refocuser:
    """Refocuses a stream of frames, one after another, as `pullfocus video` would.

    Holds the engine, and what it knows of the past: depth, layers, focus. Where there is an NVIDIA GPU that can, it
    works there, as `settings.engine.device` says; arrays come and go in main memory all the same. One thread calls it;
    `focus_on` may be called from another.
    """

    def __init__(self, settings: Settings | None = None, *, opened: OpenCard | None = None) -> None:
        """Tries out the GPU, builds the engine. Raises EngineError, MissingExtraError, CheckpointError or InputError.

        opened: makes the GPU that pictures are on; None: the first one that CuPy finds.
        """
        self._settings = settings or Settings()
        self._card = choose_card(self._settings, None, opened=opened)
        self._engine = build(self._settings.engine)
        self.reset()

    def __call__(self, rgb: Picture, time_s: float) -> Picture:
        """The next frame refocused: fresh memory, of the frame's size unless `settings.view` shows more.

        rgb: `h w 3` uint8; one of another size begins another scene. time_s: seconds from any start, never less than
        before. Raises InputError, and EngineError where a GPU fails.
        """
        return cast(Picture, self._steps.whole(self._next_frame(rgb, time_s)))

    def analyse(self, rgb: Picture, time_s: float) -> Layered:
        """All but the picture: the next frame's inverse depth, the layers' centres and the focus plan.

        The inverse depth is `.sensed.inverse_depth`, then come `.centres` and `.plan`. Arguments as of a call; each
        frame goes through one of the two. The frame is copied, so its memory may be used again. Raises as a call.
        """
        return self._steps.analyse(self._next_frame(rgb, time_s))

    def render(self, layered: Layered) -> Picture:
        """The picture of what `analyse` gave, also with another plan: `dataclasses.replace(layered, plan=…)`."""
        return cast(Picture, self._steps.render(layered))

    def focus_on(self, target: Focus) -> None:
        """From the next frame on, turn to another target: the focus glides there. Raises InputError."""
        self._settings = replace(self._settings, focus=_target(target))
        self._puller.target = self._settings.focus

    def reset(self) -> None:
        """Forget the frames so far, as before another video. The target stays."""
        self._puller = FocusPuller(self._settings)
        parts = net_parts(self._engine, self._settings, card=self._card)
        self._steps = in_steps(parts, self._settings, self._puller)
        self._last: Frame | None = None

    def _next_frame(self, rgb: Picture, time_s: float) -> Frame:
        frame = _frame(rgb, time_s, 0 if self._last is None else self._last.index + 1)
        if self._last is not None and frame.time_s < self._last.time_s:
            raise InputError(
                f"time_s: got {frame.time_s:g} after {self._last.time_s:g}, expected a time that never goes back; "
                "call reset() before another video"
            )
        self._last = frame
        return frame


def refocus(
    rgb: Picture,
    inverse_depth: NDArray[np.floating],
    focus: Focus,
    aperture: float = DEFAULT_APERTURE,
    *,
    dead_zone: float = 0.0,
    kernel: KernelShape = "disc",
    blades: int = DEFAULT_BLADES,
    rotation: float = 0.0,
    layers: int = 6,
    quality: Quality = "fine",
) -> Picture:
    """One picture refocused with a depth of your own, which is used untouched: fresh memory, of the picture's size.

    rgb: `h w 3` uint8. inverse_depth: `h' w'` floats in [0, 1], 1 = nearest, of any size. focus: an inverse depth, or
    what `--focus` takes, such as "auto" or "0.4,0.5". aperture: radius of the blur circle in percent of the picture's
    height at an inverse-depth difference of 1. The rest as the options of `pullfocus image`. Raises InputError.
    """
    settings = Settings(
        focus=_target(focus),
        aperture=aperture,
        kernel=kernel,
        blades=blades,
        rotation=rotation,
        dead_zone=dead_zone,
        layers=layers,
        engine=EngineRequest(quality=quality),
    )
    kernels = load("cpu")
    sensed = Sensed(_frame(rgb, 0.0, 0), _checked_depth(inverse_depth))
    layered = LayersStage(kernels, settings, FocusPuller(settings))(sensed)
    return cast(Picture, RefocusStage(kernels, settings)(layered).picture)


def _target(focus: object) -> Target:
    """Raises InputError."""
    if isinstance(focus, str):
        return parse_focus(focus)
    if isinstance(focus, float | int | np.floating | np.integer):
        return parse_focus(str(float(focus)))
    if not isinstance(focus, Auto | Nearest | LayerNumber | Fixed | Point):
        raise InputError(
            f"focus: got {_described(focus)}, expected an inverse depth, a text as of --focus, or a target"
        )
    return focus


def _frame(rgb: object, time_s: float, index: int) -> Frame:
    if not isinstance(rgb, np.ndarray) or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise InputError(f"the picture: got {_described(rgb)}, expected h w 3 uint8, RGB")
    if not math.isfinite(time_s):
        raise InputError(f"time_s: got {time_s}, expected seconds")
    exact = Fraction(float(time_s))
    return Frame(rgb.copy(order="C"), index, exact.numerator, Fraction(1, exact.denominator))


def _checked_depth(inverse_depth: object) -> InverseDepth:
    expected = "h w floats in [0, 1], 1 = nearest (0.5 m / distance)"
    if (
        not isinstance(inverse_depth, np.ndarray)
        or inverse_depth.ndim != 2
        or not np.issubdtype(inverse_depth.dtype, np.floating)
        or not inverse_depth.size
    ):
        raise InputError(f"the inverse depth: got {_described(inverse_depth)}, expected {expected}")
    unknown = np.count_nonzero(~np.isfinite(inverse_depth))
    if unknown:
        raise InputError(f"the inverse depth: got {unknown} values that are NaN or infinite; expected {expected}")
    low, high = float(inverse_depth.min()), float(inverse_depth.max())
    if low < 0.0 or high > 1.0:
        raise InputError(f"the inverse depth: got {low:g} to {high:g}, expected {expected}")
    return np.ascontiguousarray(inverse_depth, np.float32)


def _described(value: object) -> str:
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    return f"{' '.join(map(str, value.shape))} {value.dtype}"
