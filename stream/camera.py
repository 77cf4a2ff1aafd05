"""Cameras through OpenCV, on Linux (V4L2), Windows and macOS. Not yet run with a real camera on any of them."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import cast

import cv2
from cv2.utils import logging as cv2_logging

from ..kernels.api import Picture
from ..kernels.errors import InputError
from .clock import MILLISECOND
from .frame import Frame

_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}


class CameraSource:
    """A camera by number. Frames carry the time since the first one, in milliseconds."""

    live = True

    def __init__(self, number: int, size_hw: tuple[int, int] | None, rate: float | None) -> None:
        """Raises InputError when the camera cannot be opened."""
        self._number = number
        self._reading = Lock()
        with _quiet_opencv():
            self._capture = cv2.VideoCapture(number, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        if not self._capture.isOpened():
            raise InputError(f"camera {number} cannot be opened; {_found_cameras()}")
        self._ask(size_hw, rate)
        self.notes = self._differences(size_hw, rate)

    def _ask(self, size_hw: tuple[int, int] | None, rate: float | None) -> None:
        # MJPG first: raw pictures of 720p and more do not fit through USB 2 at 30 fps.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        if size_hw is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_hw[1])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_hw[0])
        if rate is not None:
            self._capture.set(cv2.CAP_PROP_FPS, rate)

    def _differences(self, size_hw: tuple[int, int] | None, rate: float | None) -> list[str]:
        width, height = (round(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        notes: list[str] = []
        if size_hw is not None and (height, width) != size_hw:
            notes.append(f"camera {self._number} gives {width}×{height} instead of {size_hw[1]}×{size_hw[0]}")
        got_rate = self._capture.get(cv2.CAP_PROP_FPS)
        if rate is not None and abs(got_rate - rate) > 0.5:
            notes.append(f"camera {self._number} gives {got_rate:g} fps instead of {rate:g}")
        return notes

    def frames(self) -> Iterator[Frame]:
        first_s: float | None = None
        index = 0
        while True:
            with self._reading:
                got, bgr = self._capture.read()
            now_s = monotonic()
            if not got:
                raise InputError(f"camera {self._number} stopped giving pictures after frame {index}; is it unplugged?")
            first_s = now_s if first_s is None else first_s
            picture = cast(Picture, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            yield Frame(picture, index, round((now_s - first_s) * 1000), MILLISECOND, 0, now_s)
            index += 1

    def close(self) -> None:
        # Not under a thread that is stuck in the driver: the process is about to end, and the camera with it.
        if self._reading.acquire(blocking=False):
            self._capture.release()


def list_cameras() -> list[str]:
    """The device files of cameras, on Linux; elsewhere none are listed."""
    return sorted(str(path) for path in Path("/dev").glob("video*"))


def _found_cameras() -> str:
    found = list_cameras()
    return f"found {', '.join(found)}" if found else "no camera was found; use --source FILE, a URL or synthetic"


@contextmanager
def _quiet_opencv() -> Generator[None]:
    # OpenCV would print warnings of its own beside our one line.
    before = cv2_logging.setLogLevel(cv2_logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2_logging.setLogLevel(before)
