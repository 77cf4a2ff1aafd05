"""A decoder's own planes, for a card that turns them to RGB itself: half the bytes, and nothing for the CPU to do."""

from __future__ import annotations

from threading import Lock
from typing import Literal, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from ..kernels.api import Picture
from ..kernels.cuda import HostYuv, YuvLayout, YuvSystem
from .colour import ColourConverter
from .orientation import Orientation
from .video_info import VideoInfo

PLANAR = {"yuv420p": True, "yuvj420p": True, "nv12": False}
SYSTEMS: dict[Colorspace, Literal["bt601", "bt709", "bt2020"]] = {
    Colorspace.ITU601: "bt601",
    Colorspace.ITU709: "bt709",
    Colorspace.BT2020: "bt2020",
}


def planes_of(decoded: VideoFrame, info: VideoInfo) -> HostYuv | None:
    """None for a frame that only the CPU turns to RGB: turned, odd, of another format, HDR or of rare colours."""
    height, width = decoded.height, decoded.width
    form, matrix = decoded.format.name, SYSTEMS.get(info.tags.colourspace(info.size_hw[0]))
    is_plain = info.orientation == Orientation() and info.tags.light == "srgb"
    if form not in PLANAR or matrix is None or not is_plain or (height, width) != info.size_hw:
        return None
    if height % 2 or width % 2:
        return None
    planes = cast("NDArray[np.uint8]", decoded.to_ndarray())
    system = YuvSystem(matrix, info.tags.full_range)
    return HostYuv(planes, YuvLayout(height, width, PLANAR[form]), system, _Rgb(decoded, info))


class _Rgb:
    """The frame as the CPU turns it, made when somebody asks. Any thread may."""

    def __init__(self, decoded: VideoFrame, info: VideoInfo) -> None:
        self._decoded, self._info, self._lock = decoded, info, Lock()
        self._made: Picture | None = None

    def __call__(self) -> Picture:
        with self._lock:
            if self._made is None:
                made, _ = ColourConverter(self._info.tags).to_rgb(self._decoded, self._info.size_hw)
                self._made = cast(Picture, made)
            return self._made
