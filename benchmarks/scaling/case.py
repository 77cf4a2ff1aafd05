"""What is measured: cases that differ from one base in one thing each, and the plan of a whole run."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ...engines.build import EngineRequest
from ...kernels.api import Quality
from ...stream.config import DEFAULT_APERTURE, Settings
from ...stream.targets import Fixed

QUALITIES: tuple[Quality, ...] = ("fast", "fine")
# All of one shape: another shape gives the net another size, and cost would depend on two things at once.
SIZES = ((320, 180), (640, 360), (960, 540), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
APERTURES = (1.0, 2.0, 4.0, DEFAULT_APERTURE, 14.0, 28.0)
LAYERS = (2, 4, 6, 8, 12, 16)
LOADS = (0.4, 0.6, 0.75, 0.9, 1.05)
FOCUS = 0.5  # in the middle of depth that is stretched to [0, 1]: nearly every pixel is out of focus


@dataclass(frozen=True, slots=True)
class Case:
    """Settings whose cost is measured. aperture: radius in % of the height.

    threads: of OpenVINO and of OpenCV, 0 = what the program chooses itself.
    """

    width: int = 1280
    height: int = 720
    quality: Quality = "fast"
    aperture: float = DEFAULT_APERTURE
    layers: int = 6
    threads: int = 0

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 64 or self.threads < 0:
            raise ValueError(
                f"got {self.name}; expected a picture of 64 pixels or more each way, and 0 threads or more"
            )
        self.settings()

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6

    @property
    def radius_px(self) -> float:
        """Of the blur circle at an inverse-depth difference of 1."""
        return self.aperture / 100.0 * self.height

    @property
    def name(self) -> str:
        return f"{self.size} {self.quality}, radius {self.aperture:g} %, K {self.layers}, threads {self.threads}"

    def settings(self) -> Settings:
        """As the program takes them. Raises InputError."""
        return Settings(
            focus=Fixed(FOCUS),
            aperture=self.aperture,
            layers=self.layers,
            depth_range="auto",
            engine=EngineRequest("openvino", "cpu", quality=self.quality),
        )

    def facts(self) -> dict[str, Any]:
        """As JSON holds it; `Case(**facts)` is the case again."""
        return asdict(self)


def thread_counts(cores: int) -> tuple[int, ...]:
    """1, 2, 4, … and all cores."""
    return tuple(sorted({cores, *(1 << power for power in range(cores.bit_length()) if 1 << power <= cores)}))


def stream_counts(cores: int) -> tuple[int, ...]:
    """1, 2, 4, … to all cores, and half as many and as many again, which shows where more streams bring no more."""
    return tuple(sorted({*thread_counts(cores), cores + -(-cores // 2), 2 * cores}))


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. frames: measured for each case and round, after `warm_up` others. seconds: of each stream window.

    loads: shares of the measured capacity at which latency is taken. copy_mb: size of the arrays that are copied to
    measure bandwidth, 0 = larger than the last-level cache. matrix: side of the matrices that are multiplied.
    """

    sizes: tuple[tuple[int, int], ...] = SIZES
    apertures: tuple[float, ...] = APERTURES
    layers: tuple[int, ...] = LAYERS
    qualities: tuple[Quality, ...] = QUALITIES
    threads: tuple[int, ...] = field(default_factory=lambda: thread_counts(os.cpu_count() or 1))
    streams: tuple[int, ...] = field(default_factory=lambda: stream_counts(os.cpu_count() or 1))
    loads: tuple[float, ...] = LOADS
    base: Case = Case()
    rounds: int = 5
    frames: int = 4
    warm_up: int = 2
    seconds: float = 3.5
    copy_mb: int = 0
    matrix: int = 1536

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.frames < 1 or self.warm_up < 1 or self.seconds <= 0.0:
            raise ValueError("expected at least one round, one frame, one frame of warm-up and some time for streams")

    def cases(self) -> list[Case]:
        """Every case of the sweeps of size, radius and layers once, in an order that is always the same."""
        found = list[Case]()
        for quality in self.qualities:
            base = replace(self.base, quality=quality)
            found += [base, *(replace(base, width=width, height=height) for width, height in self.sizes)]
            found += [replace(base, aperture=aperture) for aperture in self.apertures]
            found += [replace(base, layers=layers) for layers in self.layers]
        return list(dict.fromkeys(found))

    def threaded(self, threads: int) -> list[Case]:
        """The base in each quality, with that many threads."""
        return [replace(self.base, quality=quality, threads=threads) for quality in self.qualities]
