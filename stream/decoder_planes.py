"""A decoder's own planes, for a card that turns them to RGB itself: half the bytes, and nothing for the CPU to do.

Those of NVDEC are on the card already.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Literal, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from ..kernels.api import Picture
from ..kernels.cuda import DevicePicture, HostYuv, YuvLayout, YuvSystem
from .colour import ColourConverter
from .orientation import Orientation
from .video_info import VideoInfo

ON_CARD = "cuda"  # the pixel format of frames in GPU memory
PLANAR = {"yuv420p": True, "yuvj420p": True, "nv12": False}
SYSTEMS: dict[Colorspace, Literal["bt601", "bt709", "bt2020"]] = {
    Colorspace.ITU601: "bt601",
    Colorspace.ITU709: "bt709",
    Colorspace.BT2020: "bt2020",
}


def system_of(info: VideoInfo) -> YuvSystem | None:
    """By which a card turns a film's frames to RGB; None where only the CPU does: turned, odd, HDR, of rare colours."""
    matrix = SYSTEMS.get(info.tags.colourspace(info.size_hw[0]))
    is_plain = info.orientation == Orientation() and info.tags.light == "srgb"
    if matrix is None or not is_plain or info.size_hw[0] % 2 or info.size_hw[1] % 2:
        return None
    return YuvSystem(matrix, info.tags.full_range)


def planes_of(decoded: VideoFrame, info: VideoInfo) -> HostYuv | DevicePicture | None:
    """None for a frame that only the CPU turns to RGB: as `system_of` says, or of another format or size."""
    form, system = decoded.format.name, system_of(info)
    if system is None or (decoded.height, decoded.width) != info.size_hw:
        return None
    if form == ON_CARD:
        return _on_card(decoded, system)
    if form not in PLANAR:
        return None
    planes, layout = cast("NDArray[np.uint8]", decoded.to_ndarray()), YuvLayout(*info.size_hw, PLANAR[form])
    return HostYuv(planes, layout, system, _Rgb(decoded, info))


def _on_card(decoded: VideoFrame, system: YuvSystem) -> DevicePicture:
    high, wide = decoded.height, decoded.width
    luma, chroma = decoded.planes
    return DevicePicture(_Surface(luma, (high, wide)), _Surface(chroma, (high // 2, wide // 2, 2)), system)


class _Surface:
    """A `DlpackPlane` of a frame in GPU memory; it keeps the frame alive."""

    def __init__(self, plane: VideoPlane, shape: tuple[int, ...]) -> None:
        self._plane, self.shape = plane, shape

    def __dlpack__(self, *, stream: Any = None) -> Any:
        # PyAV's planes refuse to be asked for a stream. FFmpeg writes them on the default one.
        del stream
        return self._plane.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._plane.__dlpack_device__()


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
