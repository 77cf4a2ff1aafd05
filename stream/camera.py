"""Pictures of a camera through OpenCV, on Linux (V4L2), Windows and macOS. Not yet run with a real camera on any."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Protocol, cast

import cv2
from cv2.utils import logging as cv2_logging

from ..kernels.api import AnyPicture, Picture
from ..kernels.errors import InputError
from .camera_search import find_cameras, listed
from .cameras import MJPG, NEAR_RATE, USUAL_RATE, Camera, choose_mode
from .clock import MILLISECOND
from .frame import Frame
from .live_request import DEFAULT_SIZE_HW

FIRST_S = 6.0  # some cameras take their time to begin
_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
# Read by OpenCV when it opens a camera: how many seconds a read waits for a picture; 10 without it.
_SELECT_TIMEOUT = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"


class Capture(Protocol):
    """What is used of OpenCV's `VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802

    def read(self) -> tuple[bool, AnyPicture]: ...

    def set(self, prop: int, value: float, /) -> bool: ...

    def get(self, prop: int, /) -> float: ...

    def release(self) -> None: ...


class CameraInput:
    """An opened camera. Frames carry the time since the first one, in milliseconds."""

    ends = False

    def __init__(
        self,
        camera: Camera,
        size_hw: tuple[int, int] | None,
        rate: float | None,
        capture: Callable[[int], Capture] | None = None,
    ) -> None:
        """capture: opens it by its number. Raises InputError when it cannot be opened."""
        self._camera = camera
        self._capture = (capture or open_capture)(camera.number)
        if not self._capture.isOpened():
            why = camera.trouble or f"found {listed(find_cameras()) or 'no camera'}; `pullfocus cameras` lists them"
            raise InputError(f"camera {camera.number} cannot be opened; {why}")
        self._ask(size_hw, rate)
        self.notes = self._differences(size_hw, rate)

    def _ask(self, size_hw: tuple[int, int] | None, rate: float | None) -> None:
        mode = choose_mode(self._camera.modes, size_hw or DEFAULT_SIZE_HW, rate or USUAL_RATE)
        # Where nothing is known of modes, JPEG: raw pictures of 720p and more do not fit through USB 2 at 30 fps.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*f"{mode.pix_fmt if mode else MJPG:<4}"))
        if mode is not None:
            size_hw, rate = mode.size_hw, mode.nearest_rate(rate or USUAL_RATE)
        if size_hw is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_hw[1])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_hw[0])
        if rate is not None:
            self._capture.set(cv2.CAP_PROP_FPS, rate)

    def _differences(self, size_hw: tuple[int, int] | None, rate: float | None) -> list[str]:
        width, height = (round(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        notes: list[str] = []
        if size_hw is not None and (height, width) != size_hw:
            notes.append(f"{self._camera} gives {width}×{height} instead of {size_hw[1]}×{size_hw[0]}")
        got_rate = self._capture.get(cv2.CAP_PROP_FPS)
        if rate is not None and abs(got_rate - rate) > NEAR_RATE:
            notes.append(f"{self._camera} gives {got_rate:g} fps instead of {rate:g}")
        return notes

    def frames(self) -> Iterator[Frame]:
        opened_s, first_s, index = monotonic(), 0.0, 0
        while True:
            got, bgr = self._capture.read()
            now_s = monotonic()
            if not got:
                if index == 0 and now_s - opened_s < FIRST_S:
                    sleep(0.1)
                    continue
                what = "stopped giving pictures; is it unplugged?" if index else "was opened and gives no picture"
                raise InputError(f"{self._camera} {what}")
            first_s = first_s if index else now_s
            picture = cast(Picture, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            yield Frame(picture, index, round((now_s - first_s) * 1000), MILLISECOND, 0, now_s)
            index += 1

    def close(self) -> None:
        self._capture.release()


def open_capture(number: int) -> Capture:
    """OpenCV's, which says by `isOpened` whether it is one."""
    os.environ.setdefault(_SELECT_TIMEOUT, "2")
    with _quiet_opencv():
        return cast(Capture, cv2.VideoCapture(number, _BACKENDS.get(sys.platform, cv2.CAP_ANY)))


@contextmanager
def _quiet_opencv() -> Generator[None]:
    # OpenCV would print warnings of its own beside our one line.
    before = cv2_logging.setLogLevel(cv2_logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2_logging.setLogLevel(before)
