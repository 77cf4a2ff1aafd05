"""The live window: OpenCV's, on the main thread.

Open it before PyAV is imported: the two bundle clashing libraries, and with PyAV first `cv2.imshow`
can hang. So this module, and all that it imports, must not import av.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import cast

import cv2

from ..kernels.api import AnyPicture, Picture
from ..kernels.errors import OutputError
from .controls import Controls
from .display import INSTEAD, display
from .frame import Rendered
from .keys import LONG_TOAST_S, Desk, press
from .overlay import MARK_S, Fading, Look, draw
from .overlay_panels import draw_help, draw_statistics
from .remembered import Remembered, keep
from .report import Moment
from .takes import Takes
from .views import point_in
from .window_sizes import WindowSizes

TITLE = "pullfocus"
REFRESH_S = 0.25  # numbers that change with every frame cannot be read
KEY_BITS = 0xFFFF  # without NumLock and the like; with fewer, an arrow would be taken for a letter
KEYS_A_FRAME = 8  # a key held down must not keep the next frame waiting


class WindowSink:
    """Shows frames with how the run stands; keys as in `keys`, a click focuses there, the wheel zooms (Qt's own doing).

    `q`, Esc or closing the window ends the run.
    """

    def __init__(self, controls: Controls, takes: Takes, remembered: Remembered) -> None:
        """Opens the window; with it `takes` are closed, and what was turned is kept beside what is `remembered`.

        Raises OutputError when there is no display.
        """
        self.desk = Desk(controls, takes, remembered.statistics)
        self._controls, self._takes = controls, takes
        self._mark, self._mark_xy = Fading(), (0, 0)
        self._size_hw = (0, 0)
        self._windows = WindowSizes(remembered.window_wh)
        self._remembered, self._before = remembered, controls.now()
        self._is_full = False
        self._now: Callable[[], Moment] | None = None
        self._moment: Moment | None = None
        self._asked_s = 0.0
        try:
            with display():
                cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.setMouseCallback(TITLE, self._on_mouse)
                cv2.waitKey(1)
        except cv2.error as error:
            raise OutputError(f"--sink window: OpenCV cannot open a window ({error.err}); {INSTEAD}") from error

    def started(self, now: Callable[[], Moment]) -> None:
        self._now = now

    def write(self, rendered: Rendered) -> bool:
        self._takes.write(rendered)
        self._fit_window(rendered.picture)
        cv2.imshow(TITLE, self._with_overlay(rendered.picture))
        return self._answer_keys() and _is_open()

    def idle(self) -> bool:
        """Answer clicks and keys while no frame comes; False when the user has ended the run."""
        return self._answer_keys() and (self._size_hw == (0, 0) or _is_open())

    def _answer_keys(self) -> bool:
        """Do what the keys pressed ask for; False ends the run."""
        for _ in range(KEYS_A_FRAME):
            key = cv2.waitKeyEx(1)
            if key < 0:
                break
            press(self.desk, chr(key & KEY_BITS))
        if self.desk.full_screen != self._is_full:
            self._is_full = self.desk.full_screen
            mode = cv2.WINDOW_FULLSCREEN if self._is_full else cv2.WINDOW_NORMAL
            cv2.setWindowProperty(TITLE, cv2.WND_PROP_FULLSCREEN, mode)
        return not self.desk.quits

    def _fit_window(self, picture: AnyPicture) -> None:
        size_hw = picture.shape[0], picture.shape[1]
        if self._size_hw == (0, 0):
            self.desk.toast.show("h: help", LONG_TOAST_S)
        if size_hw != self._size_hw and not self._is_full:
            cv2.resizeWindow(TITLE, *self._windows.change_to(size_hw))
        self._size_hw = size_hw

    def _with_overlay(self, picture: AnyPicture) -> Picture:
        out = cast(Picture, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        for text in self._takes.news():
            self.desk.toast.show(text, LONG_TOAST_S)
        look = self._look()
        # Help lies over them, and is not read for long.
        if self.desk.statistics and not self.desk.help and look.moment is not None:
            draw_statistics(out, look.moment)
        draw(out, look)
        if self.desk.help:
            draw_help(out)
        return out

    def _look(self) -> Look:
        now_s = monotonic()
        if self._now is not None and now_s - self._asked_s > REFRESH_S:
            self._moment, self._asked_s = self._now(), now_s
            if not self._is_full:
                self._windows.see(cv2.getWindowImageRect(TITLE)[2:])
        mark, toast = self._mark.opacity, self.desk.toast.opacity
        return Look(
            self._controls.now(),
            self._moment,
            self._takes.recorded_s if self._takes.recording is not None else None,
            (*self._mark_xy, mark) if mark else None,
            (self.desk.toast.text, toast) if toast else None,
        )

    def _on_mouse(self, event: int, x: int, y: int, _flags: int, _param: object) -> None:
        # OpenCV gives x and y in pixels of the picture, whatever the window's size.
        height, width = self._size_hw
        if event != cv2.EVENT_LBUTTONDOWN or not (0 <= x < width and 0 <= y < height):
            return
        self._controls.focus_on(point_in(self._controls.settings.view, x / width, y / height))
        self._mark_xy = x, y
        self._mark.show(for_s=MARK_S)

    def close(self) -> None:
        cv2.destroyAllWindows()
        self._takes.close()
        turned = self._remembered.turned(self._before, self._controls.now())
        keep(replace(turned, window_wh=self._windows.wanted_wh, statistics=self.desk.statistics))


def _is_open() -> bool:
    try:
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        return False  # with its last window Qt goes, and OpenCV 5 complains instead of saying no
