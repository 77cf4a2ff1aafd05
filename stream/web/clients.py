"""The browsers that are connected: what each still has to be told, and their messages to the desk."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from ...kernels.errors import PullfocusError

SEND_S = 5.0  # a browser that takes no message for so long is dropped
HEARTBEAT_S = 10.0  # and one that does not answer a ping for about so long
BYE_S = 0.5  # how long the end of the run waits for a browser's good-bye
LONGEST_MESSAGE = 2**16  # bytes
REPLIES = 32  # that may wait for one browser

Message = dict[str, Any]
Answer = Callable[["Client", str | None], Awaitable[None]]


class Client:
    """One open page. The newest state takes the place of one not sent yet; replies wait their turn."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._replies: deque[Message] = deque(maxlen=REPLIES)
        self._state: Message | None = None
        self._something = asyncio.Event()
        self.connection: Any = None  # its WebRTC connection

    def reply(self, message: Message) -> None:
        self._replies.append(message)
        self._something.set()

    def show(self, state: Message) -> None:
        self._state = state
        self._something.set()

    async def send(self) -> None:
        """Send what there is, as it comes."""
        while True:
            await self._something.wait()
            self._something.clear()
            if self._state is not None:
                self._replies.append(self._state)
                self._state = None
            while self._replies:
                await asyncio.wait_for(self._socket.send_str(json.dumps(self._replies.popleft())), SEND_S)


class Clients:
    """All open pages."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def __len__(self) -> int:
        return len(self._clients)

    def show(self, state: Message) -> None:
        """To every browser."""
        for client in self._clients:
            client.show(state)

    def reply(self, message: Message) -> None:
        """To every browser."""
        for client in self._clients:
            client.reply(message)

    async def serve(
        self, request: web.Request, answer: Answer, left: Callable[[Client], Awaitable[None]]
    ) -> web.StreamResponse:
        """Talk with one browser until it leaves. What cannot be done is told to it, and the talk goes on.

        answer: called with each message, and with None at the start.
        """
        socket = web.WebSocketResponse(timeout=BYE_S, heartbeat=HEARTBEAT_S, max_msg_size=LONGEST_MESSAGE)
        await socket.prepare(request)
        client = Client(socket)
        self._clients.add(client)
        self._sockets.add(socket)
        sending = asyncio.create_task(_send(client, request))
        try:
            await answer(client, None)
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    break
                try:
                    await answer(client, message.data)
                except PullfocusError as error:
                    client.reply({"error": str(error)})
        finally:
            sending.cancel()
            self._clients.discard(client)
            self._sockets.discard(socket)
            await left(client)
        return socket

    async def close_all(self) -> None:
        """Say good-bye; pages then try to come back."""
        await asyncio.gather(*(socket.close(code=1001) for socket in self._sockets))


async def _send(client: Client, request: web.Request) -> None:
    try:
        await client.send()
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()  # type: ignore[attr-defined]
