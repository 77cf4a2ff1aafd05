"""Pictures of the screen, or of a part of it, through mss.

FFmpeg's own grabber, which PyAV brings along, crashes in one process with OpenCV: each has an X library of its own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, cast

import cv2
import mss
import numpy as np
from mss.exception import ScreenShotError

from ..kernels.api import Picture
from ..kernels.errors import InputError
from .clock import MILLISECOND
from .frame import Frame

_REGION = re.compile(r"screen(?::([0-9]{1,5})x([0-9]{1,5})(?:\+([0-9]{1,5})[,+]([0-9]{1,5}))?)?")


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the desktop in pixels, from its top left. size_wh None: the main screen, whole."""

    size_wh: tuple[int, int] | None = None
    at_xy: tuple[int, int] = (0, 0)

    @classmethod
    def parse(cls, text: str) -> Region:
        """`screen`, `screen:WxH` or `screen:WxH+X,Y`. Raises InputError."""
        match = _REGION.fullmatch(text)
        if match is None or "0" in (match[1], match[2]):
            raise InputError(f"--source {text}: expected screen, screen:WxH or screen:WxH+X,Y in pixels")
        if match[1] is None:
            return cls()
        return cls((int(match[1]), int(match[2])), (int(match[3] or 0), int(match[4] or 0)))

    def on(self, screens: list[dict[str, Any]]) -> Mapping[str, int]:
        """Its place on a desktop. screens: mss's: of the whole desktop and of each. Raises InputError."""
        desktop, first, *_ = *screens, screens[0]
        if self.size_wh is None:
            return next((screen for screen in screens[1:] if screen.get("is_primary")), first)
        (width, height), (x, y) = self.size_wh, self.at_xy
        if x + width > desktop["width"] or y + height > desktop["height"]:
            raise InputError(
                f"--source screen: {width}x{height}+{x},{y} does not fit into the desktop, which is "
                f"{desktop['width']}x{desktop['height']}"
            )
        return {"left": desktop["left"] + x, "top": desktop["top"] + y, "width": width, "height": height}


class ScreenInput:
    """What a screen shows, with the mouse's pointer, `rate` times a second."""

    ends = False

    def __init__(self, region: Region, rate: float) -> None:
        """Raises InputError where there is no screen, or no such region of it."""
        if sys.platform == "linux" and not os.environ.get("DISPLAY"):
            raise InputError("--source screen: no display (DISPLAY is not set); it grabs an X11 screen")
        try:
            self._grabber = mss.MSS(with_cursor=True)
        except ScreenShotError as error:
            raise InputError(f"--source screen: no screen can be grabbed here ({error})") from error
        try:
            self._place = dict(region.on(self._grabber.monitors))
        except BaseException:
            self._grabber.close()
            raise
        self._every_s = 1.0 / rate
        under_wayland = os.environ.get("XDG_SESSION_TYPE") == "wayland"
        self.notes = ["under Wayland only the windows of X11 programs are seen"] if under_wayland else []

    def frames(self) -> Iterator[Frame]:
        start_s = due_s = monotonic()
        index = 0
        while True:
            sleep(max(0.0, due_s - monotonic()))
            now_s = monotonic()
            due_s = max(due_s + self._every_s, now_s)
            yield Frame(self._grabbed(), index, round((now_s - start_s) * 1000), MILLISECOND, 0, now_s)
            index += 1

    def _grabbed(self) -> Picture:
        try:
            shot = self._grabber.grab(self._place)
        except ScreenShotError as error:  # the screen has another size now, or is gone
            raise InputError("the screen cannot be grabbed any more") from error
        bgra = np.frombuffer(shot.bgra, np.uint8).reshape(shot.height, shot.width, 4)
        return cast(Picture, cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB))

    def close(self) -> None:
        self._grabber.close()
