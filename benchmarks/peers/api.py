"""What a peer is: another way from a frame to a picture with a blurred background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...kernels.api import InverseDepth, Lens, Picture

SHARP_PX = 0.5  # a circle of confusion up to this radius is in focus


class MissingPeerError(Exception):
    """The peer cannot run on this machine; the text says what is missing."""


@dataclass(frozen=True, slots=True, repr=False)
class Shot:
    """What all peers are asked for: pictures of one size, one lens with its focus held. aperture: as `pullfocus`'s.

    first: inverse depth of the first frame, `h w`; by it sliders are set that do not speak of a lens.
    """

    first: InverseDepth
    focus: float
    aperture: float
    dead_zone: float = 0.0

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.first.shape[0], self.first.shape[1]

    @property
    def lens(self) -> Lens:
        return Lens.of_aperture(self.focus, self.aperture, self.size_hw[0], self.dead_zone)

    def radius_px(self, inverse_depth: InverseDepth) -> NDArray[np.float32]:
        """Radius of each pixel's circle of confusion, `h w`."""
        lens = self.lens
        away = np.abs(inverse_depth - np.float32(lens.focus)) - np.float32(lens.dead_zone)
        return np.float32(lens.reach_px) * np.maximum(away, np.float32(0.0))

    def in_focus(self) -> NDArray[np.bool_]:
        """Where the first frame is sharp, `h w`; where it is nearest to it, if it is sharp nowhere."""
        radius_px = self.radius_px(self.first)
        return radius_px <= max(SHARP_PX, float(radius_px.min()))

    def widest_px(self) -> float:
        """The largest circle of the first frame, but for a hundredth of its pixels."""
        return float(np.percentile(self.radius_px(self.first), 99))


@dataclass(frozen=True, slots=True)
class Means:
    """What peers need that is not part of pullfocus. cache: a folder for environments of their own.

    tcmonodepth: TCMonoDepth-small as ONNX. download: whether packages may be fetched.
    """

    cache: Path
    tcmonodepth: Path | None = None
    download: bool = True


class Peer(Protocol):
    """One way; made with `Means`, and used for one shot after the other."""

    sees: str  # what it finds out itself, such as "depth"; "" = all must be handed to it
    takes: str  # what can be handed to it, such as "depth"
    delay_frames: int  # what `render` returns is of the frame so many calls before

    def prepare(self, shot: Shot) -> None:
        """Begin a shot. Raises MissingPeerError."""
        ...

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        """The next picture. inverse_depth: `h w`, of this picture; None: what the peer sees itself counts."""
        ...

    def working_process(self) -> int | None:
        """The process that does the work, where it is not this one."""
        ...

    def close(self) -> None:
        """End what `prepare` began."""
        ...


class InProcess:
    """What peers without a process of their own have in common."""

    delay_frames = 0

    def working_process(self) -> int | None:
        return None

    def close(self) -> None:
        """There is nothing to end."""
