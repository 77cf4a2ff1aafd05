"""The live window: OpenCV's, on the main thread.

Open it before PyAV is imported: the two bundle clashing libraries, and with PyAV first `cv2.imshow`
can hang. So this module, and all that it imports, must not import av.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from typing import cast

import cv2

from ..kernels.api import AnyPicture, Picture
from ..kernels.errors import OutputError
from .config import View
from .controls import Controls
from .frame import Rendered
from .targets import Auto, Nearest, Point, Target

TITLE = "pullfocus"
QUIT_KEYS = (ord("q"), ord("Q"), 27)
FOCUS_KEYS: dict[int, Target] = {ord("a"): Auto(), ord("n"): Nearest()}
MARK_S = 1.0  # how long a click stays marked
SMOOTH = 0.1  # weight of the newest frame in the shown fps and latency
LARGEST_WH = (1280, 720)  # the window's size at the start; larger pictures are shown smaller
TEXT_SHARE = 0.03  # height of the overlay's text, as a share of the picture's
TILES: dict[View, tuple[int, int]] = {"side": (2, 1), "panel": (2, 2)}  # columns and rows of a view
_INSTEAD = "use --sink null or --sink FILE"


class WindowSink:
    """Shows frames with fps and latency; a click focuses there, `a` on the subject again, `n` on the nearest.

    `q`, Esc or closing the window ends the run.
    """

    def __init__(self, controls: Controls) -> None:
        """Opens the window. Raises OutputError when there is no display."""
        self._controls = controls
        self._mark: tuple[int, int, float] | None = None
        self._size_hw = (0, 0)
        self._last_s: float | None = None
        self._interval_s = self._latency_s = 0.0
        try:
            with _display():
                cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.setMouseCallback(TITLE, self._on_mouse)
                cv2.waitKey(1)
        except cv2.error as error:
            raise OutputError(f"--sink window: OpenCV cannot open a window ({error.err}); {_INSTEAD}") from error

    def write(self, rendered: Rendered) -> bool:
        self._measure(rendered)
        if self._size_hw == (0, 0):
            cv2.resizeWindow(TITLE, *fitted_wh(rendered.picture))
        self._size_hw = rendered.picture.shape[0], rendered.picture.shape[1]
        cv2.imshow(TITLE, self._with_overlay(rendered.picture))
        return self._answer_key() and _is_open()

    def idle(self) -> bool:
        """Answer clicks and keys while no frame comes; False when the user has ended the run."""
        return self._answer_key() and (self._last_s is None or _is_open())

    def _answer_key(self) -> bool:
        """Do what the key pressed asks for; False ends the run."""
        key = cv2.waitKey(1) & 0xFF
        if key in FOCUS_KEYS:
            self._controls.focus_on(FOCUS_KEYS[key])
        return key not in QUIT_KEYS

    def _measure(self, rendered: Rendered) -> None:
        now_s = monotonic()
        latency_s = now_s - rendered.frame.captured_s
        if self._last_s is None:
            self._latency_s = latency_s
        else:
            interval_s = now_s - self._last_s
            self._interval_s += (interval_s - self._interval_s) * (SMOOTH if self._interval_s else 1.0)
            self._latency_s += (latency_s - self._latency_s) * SMOOTH
        self._last_s = now_s

    def _with_overlay(self, picture: AnyPicture) -> Picture:
        out = cast(Picture, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        rate = 1.0 / self._interval_s if self._interval_s else 0.0
        _draw_text(out, f"{rate:.0f} fps  {self._latency_s * 1e3:.0f} ms")
        if self._mark is not None and monotonic() - self._mark[2] < MARK_S:
            x, y, _ = self._mark
            radius = max(12, out.shape[0] // 30)
            cv2.circle(out, (x, y), radius, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.circle(out, (x, y), radius, (255, 255, 255), 1, cv2.LINE_AA)
        return out

    def _on_mouse(self, event: int, x: int, y: int, _flags: int, _param: object) -> None:
        # OpenCV gives x and y in pixels of the picture, whatever the window's size.
        height, width = self._size_hw
        if event != cv2.EVENT_LBUTTONDOWN or not (0 <= x < width and 0 <= y < height):
            return
        columns, rows = TILES.get(self._controls.settings.view, (1, 1))
        self._controls.focus_on(Point(x / width * columns % 1.0, y / height * rows % 1.0))
        self._mark = (x, y, monotonic())

    def close(self) -> None:
        cv2.destroyAllWindows()


def _is_open() -> bool:
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        return False  # with its last window Qt goes, and OpenCV 5 complains instead of saying no


def fitted_wh(picture: AnyPicture) -> tuple[int, int]:
    """The window's first size: the picture's, or what fits into LARGEST_WH, with the same ratio."""
    height, width = picture.shape[:2]
    scale = min(1.0, LARGEST_WH[0] / width, LARGEST_WH[1] / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _draw_text(picture: Picture, text: str) -> None:
    """At the bottom left, where no view has a caption; on a dark bar, readable over any picture."""
    scale = max(0.5, picture.shape[0] * TEXT_SHARE / 22.0)  # the font is 22 px high at scale 1
    thickness = max(1, round(scale * 1.5))
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    bar = picture[-(height + below + 8) :, : width + 16]
    bar //= 4
    origin = (8, picture.shape[0] - below - 4)
    cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), thickness, cv2.LINE_AA)


@contextmanager
def _display() -> Generator[None]:
    """Raises OutputError where Qt, which draws OpenCV's windows on Linux, would end the whole process.

    The connection stays until the window has its own: some servers start afresh when the last one ends.
    """
    if sys.platform != "linux":
        yield
        return
    name = os.environ.get("DISPLAY")
    if not name:
        raise OutputError(f"--sink window: no display (DISPLAY is not set); {_INSTEAD}")
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise OutputError(f"--sink window: {error}; install libxcb1, or {_INSTEAD}") from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    try:
        if xcb.xcb_connection_has_error(connection):
            raise OutputError(f"--sink window: cannot connect to the display {name}; {_INSTEAD}")
        yield
    finally:
        xcb.xcb_disconnect(connection)
