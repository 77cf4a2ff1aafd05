"""The browser page as a sink. Imports PyAV: open a window first, if there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack

from ...kernels.errors import MissingExtraError
from ..controls import Controls
from ..crew import Crew
from ..frame import Rendered
from ..report import Moment
from ..takes import Takes
from .address import Address

CLOSE_S = 5.0  # what a browser that hangs may cost at the end is far less


class WebSink:
    """Shows frames in browsers, and does what is asked there. It never waits for any of them."""

    def __init__(self, stack: ExitStack, address: Address, controls: Controls, takes: Takes) -> None:
        """Serves from now on, until `stack` closes, and prints the page's address on stderr.

        Raises MissingExtraError, and OutputError where `address` cannot be used.
        """
        try:
            from .desk import Desk
            from .guard import Guard
            from .server import Server
        except ModuleNotFoundError as error:
            raise MissingExtraError(error.name or "aiohttp and aiortc", "web", "--web") from error
        listening = stack.enter_context(address.listen())
        bound = Address(address.host, listening.getsockname()[1])
        guard = Guard(bound)
        self._takes = takes
        self._server = Server(listening, guard, Desk(controls, takes))
        crew = stack.enter_context(Crew([], CLOSE_S))
        crew.start("web", self._server.run)
        stack.callback(self._server.stop)
        self.url = f"{bound.url}/?token={guard.token}"
        _tell(bound, self.url)

    @property
    def watched(self) -> bool:
        """Somebody has the page or its picture open, or a recording that was begun there goes on."""
        return self._server.watchers > 0 or self._takes.recording is not None

    def started(self, now: Callable[[], Moment]) -> None:
        self._server.started(now)

    def write(self, rendered: Rendered) -> bool:
        self._takes.write(rendered)
        self._server.put(rendered)
        return True


def _tell(bound: Address, url: str) -> None:
    print(f"pullfocus: the page is at {url}", file=sys.stderr, flush=True)
    if not bound.is_loopback:
        risk = f"--web {bound} can be reached from other machines, and what goes over the network is not encrypted"
        safer = "safer is the default address, through ssh -L (see docs/live_web.md)"
        print(f"pullfocus: warning: {risk}; {safer}", file=sys.stderr, flush=True)
