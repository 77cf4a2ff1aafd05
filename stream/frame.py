"""What flows through the pipeline: a frame, and what each stage adds to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..kernels.api import AnyPicture, Centres, InverseDepth, Lens, Picture, Transfer, load

LARGEST_APERTURE = 50.0
Alpha = NDArray[np.uint8 | np.uint16]  # h w, full scale = opaque


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One upright picture of a stream.

    picture: `h w 3` RGB, uint8, or uint16 (65535 = full scale) where the source has more bits or is HDR. pts and
    duration count units of time_base (seconds). captured_s: monotonic clock when the frame was captured or decoded.
    transfer: what the picture's code values stand for. alpha: `h w` of the picture's type, None = opaque; it is carried
    along as it is.
    """

    picture: AnyPicture
    index: int
    pts: int
    time_base: Fraction
    duration: int = 0
    captured_s: float = 0.0
    transfer: Transfer = "srgb"
    alpha: Alpha | None = None
    _in_8_bits: Picture | None = field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        picture, alpha = self.picture, self.alpha
        if picture.ndim != 3 or picture.shape[2] != 3 or str(picture.dtype) not in ("uint8", "uint16"):
            raise ValueError(f"got {picture.shape} {picture.dtype}, expected h w 3 uint8 or uint16")
        if alpha is not None and (alpha.shape != picture.shape[:2] or alpha.dtype != picture.dtype):
            raise ValueError(f"got alpha {alpha.shape} {alpha.dtype} beside {picture.shape} {picture.dtype}")

    @property
    def picture8(self) -> Picture:
        """`h w 3` uint8 sRGB, for all that looks at the picture: itself, or its rendition, made once."""
        if self._in_8_bits is None:
            object.__setattr__(self, "_in_8_bits", load("cpu").to_8_bits(self.picture, self.transfer))
        assert self._in_8_bits is not None
        return self._in_8_bits

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

    cut: another scene than the frame before; what was learnt of that one is void. small: what the depth was at the
    net's size, before it got the picture's edges; None where it was used as it came.
    """

    frame: Frame
    inverse_depth: InverseDepth
    cut: bool = False
    small: InverseDepth | None = None

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
    """… and the picture to show: of the frame's type when it is the refocused one, else uint8 sRGB."""

    layered: Layered
    picture: AnyPicture

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
