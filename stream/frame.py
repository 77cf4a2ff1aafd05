"""What flows through the pipeline: a frame, and what each stage adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..kernels.api import Centres, InverseDepth, Lens, Picture

LARGEST_APERTURE = 50.0


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One upright picture of a stream.

    picture: `h w 3` uint8 RGB. pts and duration count units of time_base (seconds).
    captured_s: monotonic clock when the frame was captured or decoded.
    """

    picture: Picture
    index: int
    pts: int
    time_base: Fraction
    duration: int = 0
    captured_s: float = 0.0

    def __post_init__(self) -> None:
        if self.picture.ndim != 3 or self.picture.shape[2] != 3 or self.picture.dtype != np.uint8:
            raise ValueError(f"got {self.picture.shape} {self.picture.dtype}, expected h w 3 uint8")

    @property
    def time_s(self) -> float:
        return float(self.pts * self.time_base)

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.picture.shape[0], self.picture.shape[1]

    def __repr__(self) -> str:
        height, width = self.size_hw
        return f"Frame(#{self.index}, {width}×{height}, {self.time_s:.3f} s)"


@dataclass(frozen=True, slots=True)
class FocusPlan:
    """Where the focus is and how wide the lens is open.

    inverse_depth and dead_zone in [0, 1]; aperture: blur-circle radius in % of the picture's height
    at an inverse-depth difference of 1.
    """

    inverse_depth: float
    aperture: float
    dead_zone: float

    def lens(self, height_px: int) -> Lens:
        """For a picture `height_px` high."""
        return Lens.of_aperture(self.inverse_depth, self.aperture, height_px, self.dead_zone)


@dataclass(frozen=True, slots=True, repr=False)
class Sensed:
    """A frame with its inverse depth (`h' w'` float32, maybe smaller than the picture).

    cut: another scene than the frame before; what was learnt of that one is void.
    """

    frame: Frame
    inverse_depth: InverseDepth
    cut: bool = False

    def __repr__(self) -> str:
        return f"Sensed({self.frame!r}, depth {self.inverse_depth.shape})"


@dataclass(frozen=True, slots=True)
class Layered:
    """… cut into depth layers (centres descending: near → far) and given a focus plan."""

    sensed: Sensed
    centres: Centres
    plan: FocusPlan

    @property
    def frame(self) -> Frame:
        return self.sensed.frame


@dataclass(frozen=True, slots=True, repr=False)
class Rendered:
    """… and the picture to show."""

    layered: Layered
    picture: Picture

    @property
    def frame(self) -> Frame:
        return self.layered.frame

    @property
    def inverse_depth(self) -> InverseDepth:
        return self.layered.sensed.inverse_depth

    @property
    def cut(self) -> bool:
        return self.layered.sensed.cut

    def __repr__(self) -> str:
        return f"Rendered({self.frame!r})"
