"""The event loop of the page, in a thread that somebody else owns."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

import ifaddr
from aiohttp import web

from ..frame import Rendered
from ..report import Moment
from .desk import Desk
from .faults import fault_logger
from .guard import Guard
from .site import Site


class Server:
    """`run` is the thread's work; all else may be called from any other."""

    def __init__(self, listening: socket.socket, guard: Guard, desk: Desk) -> None:
        self._listening, self._guard, self._desk = listening, guard, desk
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Site]] = Future()

    def run(self) -> None:
        """Serve until `stop`."""
        try:
            asyncio.run(self._run())
        except BaseException as error:
            if not self._begun.done():
                self._begun.set_exception(error)
            raise

    def put(self, rendered: Rendered) -> None:
        """The newest frame; never waits."""
        loop, _, site = self._begun.result()
        with suppress(RuntimeError):  # the loop has ended, and its error will be raised where the thread is joined
            loop.call_soon_threadsafe(site.put, rendered)

    def stop(self) -> None:
        if self._begun.exception() is not None:
            return  # it never ran
        loop, stopped, _ = self._begun.result()
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stopped.set)

    @property
    def watchers(self) -> int:
        """How many pages and pictures are open."""
        return self._begun.result()[2].watchers

    def started(self, now: Callable[[], Moment]) -> None:
        """`now` tells how the run does."""
        self._begun.result()[2].moment = now

    async def _run(self) -> None:
        with ThreadPoolExecutor(1, "pullfocus-jpeg") as jpeg, ThreadPoolExecutor(1, "pullfocus-h264") as h264:
            site = Site(self._guard, self._desk, (jpeg, h264), hosts_of(self._listening))
            async with _serving(site, self._listening):
                stopped = asyncio.Event()
                self._begun.set_result((asyncio.get_running_loop(), stopped, site))
                work, end = asyncio.create_task(site.work()), asyncio.create_task(stopped.wait())
                await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()  # raises: it never ends by itself
                work.cancel()


@asynccontextmanager
async def _serving(site: Site, listening: socket.socket) -> AsyncGenerator[None]:
    runner = web.AppRunner(site.app(), access_log=None, logger=fault_logger(), shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await site.close()
        await runner.cleanup()


def hosts_of(listening: socket.socket) -> list[str]:
    """The IP addresses at which the socket can be reached: its own, or all of this machine when it takes any."""
    host = ip_address(listening.getsockname()[0])
    if not host.is_unspecified:
        return [str(host)]
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    # Link-local IPv6 addresses need a zone, which SDP cannot say.
    wide = [ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv6 and ip.ip[2] == 0]
    return found + wide if host.version == 6 else found
