"""Raw video on standard output (YUV4MPEG2), for a program behind a pipe."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from fractions import Fraction
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np
from av.video.frame import VideoFrame

from ..kernels.api import Picture
from ..kernels.errors import InputError, OutputError
from .colour import BT709_TAGS, ColourConverter, ColourTags
from .fitting import FixedSize
from .frame import Rendered
from .live_info import nominal_rate

# swscale puts chroma in the middle of its four pixels, which this format calls `jpeg`; its values are BT.709, 16–235.
_FORMAT = "C420jpeg XCOLORRANGE=LIMITED"


def take_stdout() -> BinaryIO:
    """Standard output for frames alone: whatever is printed from now on, in any language, goes to standard error.

    Raises InputError where it is a terminal.
    """
    sys.stdout.flush()
    if sys.stdout.isatty():
        raise InputError(
            "--sink - writes raw video to standard output, which is a terminal here; pipe it: … | ffmpeg -i -"
        )
    frames = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return frames


class Y4mSink:
    """Writes YUV4MPEG2 with the size of the first picture; later ones are fitted into it.

    The format has no timestamps but a constant rate, so a picture is repeated where frames are missing: the one before
    them, or the first one, where a live run has dropped those before it.
    """

    def __init__(self, file: BinaryIO, rate: float | None) -> None:
        """file: unbuffered; closed at the end of the block. rate: frames a second, None: as the first frame says."""
        self._file, self._asked = file, rate
        self._rate = Fraction(0)
        self._convert = ColourConverter(ColourTags(*BT709_TAGS))
        self._fit = FixedSize()
        self._written = 0
        self._last = b""

    def __enter__(self) -> Y4mSink:
        return self

    def write(self, rendered: Rendered) -> bool:
        """False when nobody reads any more. Raises OutputError."""
        try:
            self._write(rendered)
        except BrokenPipeError:
            return False
        except OSError as error:
            raise OutputError(f"standard output: cannot write ({error.strerror})") from error
        return True

    def _write(self, rendered: Rendered) -> None:
        picture = self._fit(cast(Picture, rendered.picture))
        now = b"FRAME\n" + _planes(self._convert.from_rgb(picture, "yuv420p"))
        if not self._last:
            self._rate = Fraction(nominal_rate(rendered.frame, self._asked)).limit_denominator(1001)
            self._put_header(picture)
            self._last = now
        number = round(rendered.frame.time_s * self._rate)  # counted from the source's first frame
        while self._written < number:
            self._put(self._last)
            self._written += 1
        self._last = now
        if self._written <= number:  # else the source gives more than it said
            self._put(self._last)
            self._written += 1

    def _put_header(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        rate = f"F{self._rate.numerator}:{self._rate.denominator}"
        self._put(f"YUV4MPEG2 W{width} H{height} {rate} Ip A1:1 {_FORMAT}\n".encode())

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:  # a pipe may take a part
            left = left[self._file.write(left) :]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._file.close()


def _planes(frame: VideoFrame) -> bytes:
    """Y, U and V without the padding of their lines."""
    parts = list[bytes]()
    for plane in frame.planes:
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        parts.append(lines[: plane.height, : plane.width].tobytes())
    return b"".join(parts)
