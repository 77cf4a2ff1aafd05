"""A served page and its visitors, for tests."""

from __future__ import annotations

import http.client
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
from pullfocus.stream.config import Settings
from pullfocus.stream.controls import Controls
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import FocusPlan, Frame, Layered, Rendered, Sensed
from pullfocus.stream.takes import Takes
from pullfocus.stream.web.address import Address
from pullfocus.stream.web.sink import WebSink


def rendered(index: int = 0, size_hw: tuple[int, int] = (96, 128), value: int | None = None) -> Rendered:
    """A frame of one grey, or of noise, which JPEG cannot make small."""
    shape = (*size_hw, 3)
    grey = np.random.default_rng(index).integers(0, 256, shape, np.uint8) if value is None else np.full(shape, value)
    frame = Frame(grey.astype(np.uint8), index, index * 33, Fraction(1, 1000), 33, captured_s=index / 30)
    depth = np.zeros(size_hw, np.float32)
    return Rendered(Layered(Sensed(frame, depth), np.array([0.75, 0.25]), FocusPlan(0.5, 7.0, 0.08)), frame.picture)


class Page:
    """What is served, and a visitor that has the key."""

    def __init__(self, sink: WebSink, controls: Controls) -> None:
        self.sink, self.controls = sink, controls
        self.size_hw: tuple[int, int] = (96, 128)  # of the pictures that keep coming, where they do
        parts = urlsplit(sink.url)
        self.netloc, self.query = parts.netloc, parts.query
        self.origin = f"http://{parts.netloc}"
        answer = self.get(f"/?{self.query}")
        assert answer.status == 303
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def get(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """The answer; its body can be read. Headers: `_` stands for `-`."""
        connection = http.client.HTTPConnection(self.netloc, timeout=20)
        connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
        return connection.getresponse()

    @asynccontextmanager
    async def talk(self) -> AsyncGenerator[Talk]:
        headers = {"Cookie": self.cookie, "Origin": self.origin}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.origin}/control", headers=headers) as socket,
        ):
            yield Talk(socket)


class Talk:
    """One open websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **order: Any) -> None:
        await self.socket.send_str(json.dumps(order))

    async def hear(self, key: str) -> Any:
        """What the next message with `key` says there."""
        while True:
            message = json.loads(await self.socket.receive_str(timeout=20))
            if key in message:
                return message[key]

    async def hear_state(self, **expected: Any) -> dict[str, Any]:
        """The first state that is as expected."""
        while True:
            state = await self.hear("state")
            if all(state[key] == value for key, value in expected.items()):
                return state


@contextmanager
def served(folder: Path, port: int = 0) -> Generator[Page]:
    """folder: for takes."""
    settings = Settings()
    controls = Controls(settings, FocusPuller(settings))
    with ExitStack() as stack:
        takes = Takes(folder, settings, 30.0)
        stack.callback(takes.close)
        yield Page(WebSink(stack, Address("127.0.0.1", port), controls, takes), controls)
