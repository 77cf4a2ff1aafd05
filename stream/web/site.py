"""What the server answers: the page, the picture, the talk with each browser, and takes to download."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from aiohttp import web

from ...kernels.errors import InputError
from ..frame import Rendered
from ..report import Moment
from .clients import Client, Clients, Message
from .desk import Desk, limits, read_message
from .guard import Guard, add_headers
from .latest import Latest
from .mjpeg import Jpegs, send_stream
from .peers import Peers

TELL_S = 0.25  # between two reports of how the run does
PAGE = {
    "/": ("index.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


class Site:
    """Belongs to one event loop; only `watchers` may be asked from outside."""

    def __init__(self, guard: Guard, desk: Desk, executors: tuple[Executor, Executor], hosts: list[str]) -> None:
        """executors: for JPEG and for H.264. hosts: IP addresses for WebRTC."""
        self._guard, self._desk = guard, desk
        self._frames: Latest[Rendered] = Latest()
        self._newest: Rendered | None = None
        self._jpegs = Jpegs(self._frames, executors[0])
        self._peers = Peers(self._frames, executors[1], hosts)
        self._clients = Clients()
        self._streams = 0
        self._is_open = True
        self.moment: Callable[[], Moment] | None = None

    @property
    def watchers(self) -> int:
        """How many pages and pictures are open."""
        return len(self._clients) + self._streams

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard.middleware()], client_max_size=2**16)
        app.on_response_prepare.append(add_headers)
        for path in PAGE:
            app.router.add_get(path, _page)
        app.router.add_get("/stream.mjpg", self._stream, allow_head=False)
        app.router.add_get("/control", self._control, allow_head=False)
        app.router.add_get("/takes/{name}", self._take)
        return app

    def put(self, rendered: Rendered) -> None:
        self._newest = rendered
        self._frames.put(rendered)

    async def work(self) -> None:
        """Feed the browsers; for ever."""
        await asyncio.gather(self._peers.feed(), self._tell())

    async def close(self) -> None:
        self._is_open = False
        await self._peers.close_all()
        await self._clients.close_all()

    async def _tell(self) -> None:
        while True:
            if len(self._clients):
                self._show()
                for line in self._desk.news():
                    self._clients.reply({"news": line})
            await asyncio.sleep(TELL_S)

    def _show(self) -> None:
        moment = self.moment() if self.moment is not None else None
        self._clients.show(
            {
                "state": self._desk.state(),
                "moment": None if moment is None else asdict(moment),
                "plan": None if self._newest is None else _plan(self._newest),
            }
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self._streams += 1
        try:
            return await send_stream(request, self._jpegs, lambda: self._is_open)
        finally:
            self._streams -= 1

    async def _control(self, request: web.Request) -> web.StreamResponse:
        return await self._clients.serve(request, self._answer, self._left)

    async def _answer(self, client: Client, text: str | None) -> None:
        """text: None when the browser has just come."""
        if text is None:
            client.reply({"limits": limits()})
            self._show()
            return
        message = read_message(text)
        if message.get("do") == "offer":
            await self._connect(client, message)
            return
        self._desk.do(message)
        self._show()

    async def _connect(self, client: Client, message: Message) -> None:
        offer = message.get("sdp")
        if not isinstance(offer, str):
            raise InputError("got an offer without sdp, expected its text")
        await self._left(client)
        try:
            client.connection, answer = await self._peers.answer(offer)
        except InputError as error:
            client.reply({"error": str(error), "refused": message.get("id")})  # the page then asks for MJPEG
            return
        client.reply({"answer": answer, "id": message.get("id")})

    async def _left(self, client: Client) -> None:
        if client.connection is not None:
            await self._peers.close(client.connection)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        path = self._desk.take(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Disposition": "attachment"})


def _plan(rendered: Rendered) -> dict[str, Any]:
    """Where the focus is among the layers; all in [0, 1], near = 1."""
    return {
        "focus": rendered.layered.plan.inverse_depth,
        "dead_zone": rendered.layered.plan.dead_zone,
        "layers": [float(centre) for centre in rendered.layered.centres],
    }


async def _page(request: web.Request) -> web.Response:
    name, kind = PAGE[request.path]
    text = files(__name__.rpartition(".")[0]).joinpath(name).read_text("utf-8")
    return web.Response(text=text, content_type=kind, charset="utf-8")
