"""What cameras there are and what each can do, whatever the system; and which mode to take of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

MJPG = "MJPG"
RAW = (
    "YUYV",
    "NV12",
    "YU12",
    "UYVY",
    "YVYU",
    "NV21",
    "YV12",
    "BGR3",
    "RGB3",
)  # that OpenCV turns into colours; best first
USUAL_RATE = 30.0
NEAR_RATE = 0.5  # frames a second: 29.97 is as good as 30


@dataclass(frozen=True, slots=True)
class Mode:
    """What a camera can be set to. pix_fmt: four letters; rates in frames a second, the highest first."""

    pix_fmt: str
    size_hw: tuple[int, int]
    rates: tuple[float, ...] = ()

    @property
    def highest_rate(self) -> float:
        """0 where the camera does not say."""
        return self.rates[0] if self.rates else 0.0

    def nearest_rate(self, rate: float) -> float:
        """The lowest that is as high as `rate`, else the highest; `rate` itself where the camera does not say."""
        return min((own for own in self.rates if own >= rate - NEAR_RATE), default=self.highest_rate or rate)

    def __str__(self) -> str:
        rates = ", ".join(f"{rate:g}" for rate in self.rates)
        return f"{self.size_hw[1]}×{self.size_hw[0]} {self.pix_fmt}" + (f" {rates} fps" if rates else "")


@dataclass(frozen=True, slots=True)
class Camera:
    """One that pictures can be had of. bus: where it is plugged in. trouble: why nothing is known of its modes."""

    number: int
    path: str = ""
    name: str = ""
    bus: str = ""
    modes: tuple[Mode, ...] = field(default=(), repr=False)
    trouble: str = ""

    def __str__(self) -> str:
        return f"camera {self.number}" + (f" ({self.name})" if self.name else "")

    def facts(self) -> dict[str, Any]:
        """For JSON; sizes as width and height."""
        modes = [
            {"width": mode.size_hw[1], "height": mode.size_hw[0], "pixel_format": mode.pix_fmt, "fps": list(mode.rates)}
            for mode in self.modes
        ]
        return {**asdict(self), "modes": modes}


def choose_mode(modes: Sequence[Mode], size_hw: tuple[int, int], rate: float = USUAL_RATE) -> Mode | None:
    """The one nearest to `size_hw` that comes nearest to `rate`, raw where that is as fast as JPEG; None: no idea.

    Raw pictures have no blocks and cost nothing to decode, but large ones do not fit through USB 2 at 30 a second.
    """
    usable = [mode for mode in modes if mode.pix_fmt in (*RAW, MJPG)]
    if not usable:
        return None
    size_hw = min((mode.size_hw for mode in usable), key=lambda own: _unlikeness(own, size_hw))
    return min(
        (mode for mode in usable if mode.size_hw == size_hw),
        key=lambda mode: (max(0.0, rate - NEAR_RATE - mode.highest_rate), (*RAW, MJPG).index(mode.pix_fmt)),
    )


def _unlikeness(a_hw: tuple[int, int], b_hw: tuple[int, int]) -> float:
    return sum(abs(math.log(a / b)) for a, b in zip(a_hw, b_hw))


def camera_table(cameras: Sequence[Camera]) -> Table:
    """A row for each camera, a line for each of its modes."""
    table = Table("number", "path", "name", "modes", box=None)
    for camera in cameras:
        modes = camera.trouble or "\n".join(map(str, camera.modes)) or "not known"
        table.add_row(str(camera.number), camera.path, camera.name, modes)
    return table
