"""Frames from another program's pipe on stdin: y4m or whatever else FFmpeg knows by its beginning, or raw pictures."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.format import VideoFormat

from ..kernels.errors import InputError
from .clock import pace
from .damage import Damage
from .decoding import reason
from .frame import Frame
from .video_in import PlanesOfVideo, VideoSource

RAW_FORM = "rawvideo:WxH@FPS:PIX_FMT, such as rawvideo:640x480@30:yuv420p"
LARGEST_PX = 16384
START_S = 60.0  # for the first picture: the other program may have to find its own input first
_RAW = re.compile(r"rawvideo:([0-9]{1,5})x([0-9]{1,5})@([0-9.]+(?:/[0-9]+)?):([a-z0-9_]+)")


@dataclass(frozen=True, slots=True)
class RawForm:
    """What raw pictures are, which do not say so themselves. rate: frames a second; pix_fmt: FFmpeg's name."""

    size_wh: tuple[int, int]
    rate: Fraction
    pix_fmt: str

    @classmethod
    def parse(cls, text: str) -> RawForm | None:
        """None for `-`, whose pictures say what they are. Raises InputError."""
        if text == "-":
            return None
        match = _RAW.fullmatch(text)
        if match is None:
            raise InputError(f"--source {text}: expected {RAW_FORM}")
        try:
            form = cls((int(match[1]), int(match[2])), Fraction(match[3]), match[4])
            VideoFormat(form.pix_fmt)
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(f"--source {text}: {error}; expected {RAW_FORM}") from error
        if not all(1 <= side <= LARGEST_PX for side in form.size_wh) or not 0 < form.rate <= 1000:
            raise InputError(f"--source {text}: expected sizes up to {LARGEST_PX} px and up to 1000 fps")
        return form

    def options(self) -> dict[str, str]:
        """For FFmpeg."""
        width, height = self.size_wh
        return {"video_size": f"{width}x{height}", "framerate": str(self.rate), "pixel_format": self.pix_fmt}


class PipeInput(PlanesOfVideo):
    """What comes through stdin, once. It ends with the pipe.

    live: no faster than in real time, which holds a program back that reads a film; else as fast as it goes.
    """

    ends = True

    def __init__(self, form: RawForm | None, live: bool) -> None:
        """form: of raw pictures. Waits for the first one. Raises InputError."""
        self._live = live
        self._video = VideoSource("stdin", live, opened=lambda name: _open_stdin(name, form))

    def frames(self) -> Iterator[Frame]:
        return pace(self._video.frames()) if self._live else self._video.frames()

    @property
    def notes(self) -> list[str]:
        return self._video.other_notes

    @property
    def damage(self) -> Damage:
        return self._video.damage

    def close(self) -> None:
        self._video.close()


def check_stdin() -> None:
    """Raises InputError where nobody will send anything."""
    if not sys.stdin or sys.stdin.closed or sys.stdin.isatty():
        raise InputError(
            "--source - reads another program's pipe; try: ffmpeg -i IN -f yuv4mpegpipe - | pullfocus live …"
        )


def _open_stdin(name: str, form: RawForm | None) -> InputContainer:
    # FFmpeg reads the pipe itself: a thread that waits inside Python's stdin would hold up the end of the program.
    try:
        if form is None:
            return av.open("pipe:0", "r", metadata_errors="replace")
        return av.open("pipe:0", "r", format="rawvideo", options=form.options())
    except (FFmpegError, OSError) as error:
        raise InputError(f"{name}: not a readable video ({reason(error)}); y4m can be read, or {RAW_FORM}") from error
