"""Live frames as the stages want them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import cv2

from ..kernels.api import Picture
from ..kernels.cuda import HostYuv
from .clock import MILLISECOND
from .frame import Frame
from .pipeline import Source


class Adjusted:
    """A source's frames in 8 bits, mirrored, resized or cut short; counted from 0 and timed in ms since the first.

    A decoder's own planes are handed on where nothing is to be done to them.
    """

    def __init__(
        self, source: Source, size_hw: tuple[int, int] | None, mirror: Callable[[], bool], frames: int
    ) -> None:
        """mirror: asked for every frame."""
        self._source, self._size_hw, self._mirror, self._frames = source, size_hw, mirror, frames
        self.live = source.live

    def frames(self) -> Iterator[Frame]:
        first_s, time_ms = 0.0, -1
        for index, frame in enumerate(self._source.frames()):
            if index == 0:
                first_s = frame.time_s
            # A stream may repeat or turn back its timestamps; a recording's must rise.
            time_ms = max(time_ms + 1, round((frame.time_s - first_s) * 1000))
            duration_ms = round(frame.duration * frame.time_base * 1000)
            yield replace(
                frame,
                picture=self._adjusted(frame),
                transfer="srgb",
                alpha=None,
                index=index,
                pts=time_ms,
                time_base=MILLISECOND,
                duration=duration_ms,
            )
            if index + 1 == self._frames:
                return

    def _adjusted(self, frame: Frame) -> Picture:
        given: Any = frame.picture
        mirrored, resized_hw = self._mirror(), self._size_hw if self._size_hw != frame.size_hw else None
        if isinstance(given, HostYuv):
            if not mirrored and resized_hw is None:
                return cast(Picture, given)
            picture = given.rgb()
        else:
            picture = frame.picture8
        if resized_hw is not None:
            height, width = resized_hw
            shrinks = height * width < picture.shape[0] * picture.shape[1]
            way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cast(Picture, cv2.resize(picture, (width, height), interpolation=way))
        return cast(Picture, cv2.flip(picture, 1)) if mirrored else picture
