"""The live window: OpenCV's, on the main thread.

Open it before PyAV is imported: the two bundle clashing libraries, and with PyAV first `cv2.imshow`
can hang. So this module, and all that it imports, must not import av.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

import cv2

from ..kernels.api import Picture
from ..kernels.errors import OutputError
from .config import View
from .focus import FocusPuller, Point
from .frame import Rendered

TITLE = "pullfocus"
QUIT_KEYS = (ord("q"), 27)
MARK_S = 1.0  # how long a click stays marked
SMOOTH = 0.1  # weight of the newest frame in the shown fps and latency
_TILES = {"side": (2, 1), "panel": (2, 2)}  # columns and rows of a view


class WindowSink:
    """Shows frames with fps and latency; a click focuses there, `q`, Esc or closing the window ends the run."""

    def __init__(self, puller: FocusPuller, view: View) -> None:
        """Opens the window. Raises OutputError when there is no display."""
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise OutputError("--sink window: no display (DISPLAY is not set); use --sink null or --sink FILE")
        self._puller = puller
        self._tiles = _TILES.get(view, (1, 1))
        self._mark: tuple[int, int, float] | None = None
        self._size_hw = (0, 0)
        self._last_s: float | None = None
        self._interval_s = self._latency_s = 0.0
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
            cv2.setMouseCallback(TITLE, self._on_mouse)
            cv2.waitKey(1)
        except cv2.error as error:
            raise OutputError(f"--sink window: OpenCV cannot open a window ({error.err}); use --sink null") from error

    def write(self, rendered: Rendered) -> bool:
        self._measure(rendered)
        self._size_hw = rendered.picture.shape[0], rendered.picture.shape[1]
        cv2.imshow(TITLE, self._with_overlay(rendered.picture))
        key = cv2.waitKey(1) & 0xFF
        return key not in QUIT_KEYS and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1

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

    def _with_overlay(self, picture: Picture) -> Picture:
        out = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        rate = 1.0 / self._interval_s if self._interval_s else 0.0
        text = f"{rate:.0f} fps  {self._latency_s * 1e3:.0f} ms"
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(out, text, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, thickness, cv2.LINE_AA)
        if self._mark is not None and monotonic() - self._mark[2] < MARK_S:
            x, y, _ = self._mark
            cv2.circle(out, (x, y), 18, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.circle(out, (x, y), 18, (255, 255, 255), 1, cv2.LINE_AA)
        return out  # pyright: ignore[reportReturnType]

    def _on_mouse(self, event: int, x: int, y: int, _flags: int, _param: object) -> None:
        height, width = self._size_hw
        if event != cv2.EVENT_LBUTTONDOWN or not (0 <= x < width and 0 <= y < height):
            return
        columns, rows = self._tiles
        self._puller.target = Point(x / width * columns % 1.0, y / height * rows % 1.0)
        self._mark = (x, y, monotonic())

    def close(self) -> None:
        cv2.destroyAllWindows()
