"""The picture as H.264, encoded once for all browsers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias, cast

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from ..frame import Rendered
from .mjpeg import for_screen

Packet: TypeAlias = "av.Packet[Any]"  # generic for the type checker only
CLOCK = Fraction(1, 90_000)  # RTP's for video
NO_KEY_OF_ITS_OWN = 10_000  # frames between them: it is told when
BEHIND = 6  # packets that may wait for one browser
OPTIONS = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "crf": "23",
    "maxrate": "8M",
    "bufsize": "2M",
    "profile": "baseline",
    "forced-idr": "1",
}


class H264Encoder:
    """Frames to packets that are sent at once; begins anew when the picture's size changes."""

    def __init__(self) -> None:
        self._codec: Any = None
        self._last_pts = -1

    def encode(self, rendered: Rendered, key: bool) -> Packet | None:
        """key: a picture that can be read without those before it."""
        picture = for_screen(rendered)
        picture = picture[: picture.shape[0] & ~1, : picture.shape[1] & ~1]  # 4:2:0 wants even sizes
        height, width = picture.shape[:2]
        if self._codec is None or (self._codec.height, self._codec.width) != (height, width):
            self._codec = _codec(height, width)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        self._last_pts = max(self._last_pts + 1, round(rendered.frame.captured_s / CLOCK))
        frame.pts, frame.time_base = self._last_pts, CLOCK
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = self._codec.encode(frame)
        return cast(Packet, packets[0]) if packets else None


def _codec(height: int, width: int) -> Any:
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.height, codec.width, codec.pix_fmt = height, width, "yuv420p"
    codec.time_base, codec.framerate, codec.gop_size = CLOCK, Fraction(30), NO_KEY_OF_ITS_OWN
    codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
    codec.options = OPTIONS
    return codec


class PacketTrack(MediaStreamTrack):
    """What one browser is sent: packets in order; one that falls behind goes on at a picture that stands alone."""

    kind = "video"

    def __init__(self, ask_key: Callable[[], None]) -> None:
        super().__init__()
        self._ask_key = ask_key
        self._packets: asyncio.Queue[Packet] = asyncio.Queue(BEHIND)
        self._is_connected = False
        self._waits_for_key = True

    def put(self, packet: Packet) -> None:
        if not self._is_connected:
            return
        if self._packets.full():
            while not self._packets.empty():
                self._packets.get_nowait()
            self._waits_for_key = True
        if self._waits_for_key and not packet.is_keyframe:
            self._ask_key()
            return
        self._waits_for_key = False
        self._packets.put_nowait(packet)

    async def recv(self) -> Packet:
        """aiortc asks for the next packet, once the browser is connected."""
        if self.readyState != "live":
            raise MediaStreamError
        if not self._is_connected:
            self._is_connected = True
            self._ask_key()
        return await self._packets.get()
