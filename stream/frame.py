"""What flows through the pipeline: a frame, and what each stage adds to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..kernels.api import AnyPicture, Centres, InverseDepth, Kernels, Lens, Picture, Transfer, load
from ..kernels.cuda.card import Mark

LARGEST_APERTURE = 50.0
Alpha = NDArray[np.uint8 | np.uint16]  # h w, full scale = opaque


class Elsewhere(Protocol):
    """What a frame keeps whose picture is on a card."""

    def look(self) -> Picture:
        """`h w 3` uint8 sRGB in main memory; may wait for the card."""
        ...

    def glance(self) -> Picture:
        """The same, or a small copy of it."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One upright picture of a stream.

    picture: `h w 3` RGB, uint8, or uint16 (65535 = full scale) where the source has more bits or is HDR; on its way to
    a card also a decoder's own picture (`kernels.cuda.picture`). pts and
    duration count units of time_base (seconds). captured_s: monotonic clock when the frame was captured or decoded.
    transfer: what the picture's code values stand for. alpha: `h w` of the picture's type, None = opaque; it is carried
    along as it is. elsewhere: of a picture whose array is on a card; None = in main memory.
    """

    picture: AnyPicture
    index: int
    pts: int
    time_base: Fraction
    duration: int = 0
    captured_s: float = 0.0
    transfer: Transfer = "srgb"
    alpha: Alpha | None = None
    elsewhere: Elsewhere | None = None
    _in_8_bits: Picture | None = field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        picture, alpha = self.picture, self.alpha
        if picture.ndim != 3 or picture.shape[2] != 3 or str(picture.dtype) not in ("uint8", "uint16"):
            raise ValueError(f"got {picture.shape} {picture.dtype}, expected h w 3 uint8 or uint16")
        if alpha is not None and (alpha.shape != picture.shape[:2] or alpha.dtype != picture.dtype):
            raise ValueError(f"got alpha {alpha.shape} {alpha.dtype} beside {picture.shape} {picture.dtype}")

    @property
    def picture8(self) -> Picture:
        """`h w 3` uint8 sRGB, for all that works on the picture where it is: itself, or its rendition, made once."""
        return self.in_8_bits(load("cpu"))

    def in_8_bits(self, kernels: Kernels) -> Picture:
        """The same. kernels: those that have the picture; whoever asks first decides."""
        if self._in_8_bits is None:
            object.__setattr__(self, "_in_8_bits", kernels.to_8_bits(self.picture, self.transfer))
        assert self._in_8_bits is not None
        return self._in_8_bits

    @property
    def seen(self) -> Picture:
        """`picture8` in main memory, for what looks at single places of it."""
        return self.picture8 if self.elsewhere is None else self.elsewhere.look()

    @property
    def glanced(self) -> Picture:
        """`seen`, or a small copy of it, for what needs no detail."""
        return self.picture8 if self.elsewhere is None else self.elsewhere.glance()

    @property
    def time_s(self) -> float:
        return float(self.pts * self.time_base)

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.picture.shape[0], self.picture.shape[1]

    def __repr__(self) -> str:
        height, width = self.size_hw
        return f"Frame(#{self.index}, {width}×{height}, {self.time_s:.3f} s)"


@runtime_checkable
class GivesPlanes(Protocol):
    """A source whose decoder's own planes may take the place of RGB: half the bytes on the way to a card."""

    @property
    def for_card(self) -> bool:
        """Whether they do, where a card can turn them to RGB."""
        ...

    @for_card.setter
    def for_card(self, wanted: bool) -> None: ...


def for_card(source: object, wanted: bool) -> None:
    """Ask a source for a decoder's own planes; one that has none goes on giving RGB."""
    if isinstance(source, GivesPlanes):
        source.for_card = wanted


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


class Glimpse(Protocol):
    """A small copy of what a card computes, on its way here."""

    @property
    def mark(self) -> Mark:
        """Where the card has made it, and all that the frame had until then."""
        ...

    def look(self) -> InverseDepth:
        """`h' w'` float32, every n-th value each way; waits for the card."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Sensed:
    """A frame with its inverse depth (`h' w'` float32, maybe smaller than the picture).

    cut: another scene than the frame before; what was learnt of that one is void. small: what the depth was at the
    net's size, before it got the picture's edges; None where it was used as it came. glimpse: of a depth that is on a
    card.
    """

    frame: Frame
    inverse_depth: InverseDepth
    cut: bool = False
    small: InverseDepth | None = None
    glimpse: Glimpse | None = None

    @property
    def seen(self) -> InverseDepth:
        """The inverse depth in main memory, for what looks at single places of it: of one on a card, a thinned copy."""
        return self.inverse_depth if self.glimpse is None else self.glimpse.look()

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
    """… and the picture to show: of the frame's type when it is the refocused one, else uint8 sRGB.

    mark: where a card has made the picture; None = it is in main memory.
    """

    layered: Layered
    picture: AnyPicture
    mark: Mark | None = None

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
