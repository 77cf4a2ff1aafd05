"""The settings of a run, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from ..engines.build import EngineRequest
from ..kernels.api import KernelShape, Quality
from ..kernels.errors import InputError
from .depth_range import RangeMode
from .encoding_wish import EncodingWish
from .focus_script import FocusScript
from .frame import LARGEST_APERTURE
from .targets import Auto, LayerNumber, Target

Smoothing = Literal["none", "median", "gaussian", "both"]
View = Literal["refocus", "depth", "layers", "side", "panel", "peaking", "zone"]

DEFAULT_APERTURE = 7.0
DEFAULT_BLADES = 6
NET_DEAD_ZONE = 0.08  # a net spreads one person over about this much; a measured depth does not
SMOOTHING_PX = 5  # both filters of the report


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a user can choose for one run. Raises InputError when a value is out of range."""

    focus: Target = field(default_factory=Auto)
    script: FocusScript | None = None  # takes the place of `focus`
    face_model: Path | None = None
    aperture: float = DEFAULT_APERTURE
    kernel: KernelShape = "disc"
    blades: int = DEFAULT_BLADES
    rotation: float = 0.0  # degrees
    dead_zone: float = NET_DEAD_ZONE
    layers: int = 6
    smooth: Smoothing = "none"
    net_every: int = 1
    steady: bool = True  # depth of a net, held steady in time
    depth_range: RangeMode = "fixed"
    view: View = "refocus"
    encoding: EncodingWish = field(default_factory=EncodingWish)  # of a video
    engine: EngineRequest = field(default_factory=EngineRequest)

    def __post_init__(self) -> None:
        _check("--aperture", self.aperture, 0.0, LARGEST_APERTURE)
        _check("--dead-zone", self.dead_zone, 0.0, 1.0)
        _check("--blades", self.blades, 3, 12)
        _check("--rotation", self.rotation, -360.0, 360.0)
        _check("--layers", self.layers, 2, 16)
        _check("--net-every", self.net_every, 1, 1000)
        _check_name("--kernel", self.kernel, KernelShape)
        _check_name("--smooth", self.smooth, Smoothing)
        _check_name("--depth-range", self.depth_range, RangeMode)
        _check_name("--view", self.view, View)
        _check_name("--quality", self.engine.quality, Quality)
        if self.kernel != "polygon" and (self.blades, self.rotation) != (DEFAULT_BLADES, 0.0):
            raise InputError(f"--blades and --rotation turn a polygon; got --kernel {self.kernel}, expected polygon")
        if isinstance(self.focus, LayerNumber) and self.focus.number > self.layers:
            raise InputError(f"--focus layer:{self.focus.number}: there are {self.layers} layers; see --layers")
        if self.script is not None:
            self.script.check_layers(self.layers)

    @property
    def median_px(self) -> int:
        return SMOOTHING_PX if self.smooth in ("median", "both") else 0

    @property
    def gaussian_px(self) -> int:
        return SMOOTHING_PX if self.smooth in ("gaussian", "both") else 0


def _check(option: str, value: float, least: float, most: float) -> None:
    whole = isinstance(least, int)
    # The command line has checked the kind; a caller in Python may write anything.
    if isinstance(value, bool) or not isinstance(value, int | np.integer if whole else Real):
        raise InputError(f"{option}: got {value!r}, expected a {'whole ' if whole else ''}number")
    if not least <= value <= most:
        raise InputError(f"{option}: got {shown_number(value)}, expected {least:g} to {most:g}")


def shown_number(value: float) -> str:
    """For a message; a whole number may have more digits than a float or a line can hold."""
    try:
        return f"{value:g}"
    except OverflowError:
        return "a number of more than 300 digits"


def _check_name(option: str, value: str, names: Any) -> None:
    if value not in get_args(names):
        raise InputError(f"{option}: got {value!r}, expected {', '.join(get_args(names))}")
