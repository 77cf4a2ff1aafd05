"""Pictures of an X11 screen, or of a part of it, through FFmpeg's x11grab, which PyAV brings along."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.error import FFmpegError

from ..kernels.errors import InputError
from .decoding import reason
from .frame import Frame
from .video_in import VideoSource

GRABBER = "x11grab"
_REGION = re.compile(r"screen(?::([0-9]{1,5})x([0-9]{1,5})(?:\+([0-9]{1,5})[,+]([0-9]{1,5}))?)?")


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the screen in pixels, from its top left. size_wh None: all that is right of and below `at_xy`."""

    size_wh: tuple[int, int] | None = None
    at_xy: tuple[int, int] = (0, 0)

    @classmethod
    def parse(cls, text: str) -> Region:
        """`screen`, `screen:WxH` or `screen:WxH+X,Y`. Raises InputError."""
        match = _REGION.fullmatch(text)
        if match is None:
            raise InputError(f"--source {text}: expected screen, screen:WxH or screen:WxH+X,Y in pixels")
        if match[1] is None:
            return cls()
        return cls((int(match[1]), int(match[2])), (int(match[3] or 0), int(match[4] or 0)))

    def __str__(self) -> str:
        width, height = self.size_wh or (0, 0)
        return f"{width}x{height}+{self.at_xy[0]},{self.at_xy[1]}" if self.size_wh else "the whole screen"


class ScreenInput:
    """What a screen shows, with the mouse's pointer, `rate` times a second."""

    ends = False

    def __init__(self, region: Region, rate: float) -> None:
        """Raises InputError where there is no such screen, or region of it."""
        display = os.environ.get("DISPLAY")
        if not display:
            raise InputError("--source screen: no display (DISPLAY is not set); it grabs an X11 screen")
        if GRABBER not in av.formats_available:
            raise InputError(f"--source screen: PyAV {av.__version__} cannot grab screens here; expected {GRABBER}")
        self._video = VideoSource(
            f"screen {display}", live=True, opened=lambda name: _grabbed(name, display, region, rate)
        )

    def frames(self) -> Iterator[Frame]:
        return self._video.frames()

    @property
    def notes(self) -> list[str]:
        return self._video.notes

    def close(self) -> None:
        self._video.close()


def _grabbed(name: str, display: str, region: Region, rate: float) -> InputContainer:
    options = {"framerate": f"{rate:g}"}
    if region.size_wh is not None:
        options["video_size"] = "{}x{}".format(*region.size_wh)
    x, y = region.at_xy
    try:
        return av.open(f"{display}+{x},{y}", "r", format=GRABBER, options=options)
    except (FFmpegError, OSError) as error:
        if region == Region():
            raise InputError(f"--source screen: cannot grab {name} ({reason(error)})") from error
        width, height = _whole_size(name, display, rate)
        raise InputError(f"--source screen: {region} does not fit into {name}, which is {width}x{height}") from error


def _whole_size(name: str, display: str, rate: float) -> tuple[int, int]:
    with _grabbed(name, display, Region(), rate) as container:
        context = container.streams.video[0].codec_context
        return context.width, context.height
