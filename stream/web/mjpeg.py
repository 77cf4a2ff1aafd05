"""The picture as Motion JPEG: works wherever a page loads, through tunnels and proxies, too."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from typing import cast

import cv2
from aiohttp import web

from ...kernels.api import Picture
from ..frame import Rendered
from .latest import Latest

QUALITY = 85
BOUNDARY = "pullfocus-frame"
SEND_S = 5.0  # a browser that takes no picture for so long is dropped
SEND_BUFFER = 2**17  # bytes: what lies in the kernel is late already
LARGEST_WH = (1920, 1080)  # larger pictures are made smaller for the browser


class Jpegs:
    """Each frame is encoded once, however many want it, and not at all when nobody does."""

    def __init__(self, frames: Latest[Rendered], executor: Executor) -> None:
        self._frames, self._executor = frames, executor
        self._number = 0
        self._encoding: asyncio.Future[bytes] | None = None

    async def after(self, number: int) -> tuple[int, bytes]:
        """The newest frame with its number, which is higher than `number`."""
        number, rendered = await self._frames.after(number)
        if self._encoding is None or number != self._number:
            loop = asyncio.get_running_loop()
            self._number, self._encoding = number, loop.run_in_executor(self._executor, encode_jpeg, rendered)
        return number, await asyncio.shield(self._encoding)  # one who leaves must not take it from the others


def encode_jpeg(rendered: Rendered) -> bytes:
    bgr = cv2.cvtColor(for_screen(rendered), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def for_screen(rendered: Rendered) -> Picture:
    """The picture, not larger than LARGEST_WH; live pictures have 8 bits."""
    picture = cast(Picture, rendered.picture)
    height, width = picture.shape[:2]
    scale = min(LARGEST_WH[0] / width, LARGEST_WH[1] / height)
    if scale >= 1.0:
        return picture
    size = max(2, round(width * scale)), max(2, round(height * scale))
    return cast(Picture, cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


async def send_stream(request: web.Request, jpegs: Jpegs, is_open: Callable[[], bool]) -> web.StreamResponse:
    """Pictures until the browser leaves, or takes none for SEND_S."""
    response = web.StreamResponse(headers={"Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}"})
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        return response
    transport.set_write_buffer_limits(high=0)  # type: ignore[attr-defined]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    await response.write(f"--{BOUNDARY}\r\n".encode())
    number = 0
    try:
        while is_open():
            number, jpeg = await jpegs.after(number)
            await asyncio.wait_for(response.write(_part(jpeg)), SEND_S)
    except TimeoutError:
        transport.abort()  # type: ignore[attr-defined]
    except ConnectionError:
        pass  # it has left
    return response


def _part(jpeg: bytes) -> bytes:
    # With the boundary that ends it: browsers show a picture when they see that.
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
    return head + jpeg + f"\r\n--{BOUNDARY}\r\n".encode()
