"""What `pullfocus live` and `pullfocus bench` were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..kernels.errors import InputError
from .sink_names import kind_of
from .urls import host_of, is_url
from .web.address import Address

DEFAULT_SIZE_HW = (480, 640)
BENCH_SIZE_HW = (720, 1280)
DEFAULT_RATE = 30.0


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for. Raises InputError.

    frames: stop after so many of the source's, 0 = go on. takes: the folder for recordings and stills made on the
    way, None = the user's own. fresh: what the window remembers of earlier runs is ignored.
    adaptive: quality is given up where the rate would not be held. web: where a page is served.
    """

    source: str = "0"
    sinks: tuple[str, ...] = ("window",)
    size_hw: tuple[int, int] | None = None
    rate: float | None = None
    mirror: bool = False
    frames: int = 0
    overwrite: bool = False
    takes: Path | None = None
    fresh: bool = False
    adaptive: bool = False
    web: Address | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not 1.0 <= self.rate <= 1000.0:
            raise InputError(f"--fps: got {self.rate:g}, expected 1 to 1000")
        if self.frames < 0:
            raise InputError(f"--frames: got {self.frames}, expected 0 (no end) or more")
        for sink in self.sinks:
            if not sink:
                raise InputError("--sink: got an empty name; expected window, a file, a URL, virtual, - or null")
            if self.sinks.count(sink) > 1:
                raise InputError(f"--sink {host_of(sink)} was given more than once; each sink can be opened once")
        if self.takes is not None and self.takes.exists() and not self.takes.is_dir():
            raise InputError(f"--takes {self.takes}: not a folder; expected one, or a name for a new one")

    @property
    def is_url(self) -> bool:
        return is_url(self.source)

    @property
    def is_pipe(self) -> bool:
        return self.source == "-" or self.source.startswith("rawvideo:")

    @property
    def is_screen(self) -> bool:
        return self.source == "screen" or self.source.startswith("screen:")

    @property
    def is_recorded(self) -> bool:
        """Whether a sink is to hold every frame, for which it is worth waiting: a file, or a pipe."""
        return any(kind_of(sink) in ("file", "stdout") for sink in self.sinks)
