"""The one owner of all threads: the first failure stops all, joins all and is raised in the caller."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from types import TracebackType
from typing import Any

from ..kernels.errors import StuckError
from .channel import Channel, ChannelClosed

JOIN_DEADLINE_S = 2.0


class Crew:
    """`with Crew(channels) as crew: crew.start("depth", work)`; the block is the sink's own loop.

    At the end of the block, or at any error (also KeyboardInterrupt), every channel is closed with
    discard and every thread joined. The first error is raised here; a thread that outlasts the
    deadline is named in a StuckError, or in a note on KeyboardInterrupt.
    """

    def __init__(self, channels: list[Channel[Any]], deadline_s: float = JOIN_DEADLINE_S) -> None:
        self._channels = channels
        self._deadline_s = deadline_s
        self._threads: list[Thread] = []
        self._error: BaseException | None = None
        self._lock = Lock()

    def start(self, name: str, work: Callable[[], object]) -> None:
        """Run `work` in a thread of this crew."""
        # Daemons: a thread stuck in a driver must not keep the program from ending with its message.
        thread = Thread(target=self._run, args=(work,), name=f"pullfocus-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except ChannelClosed:
            pass  # the neighbour went first; whoever closed it has the error
        except BaseException as error:
            with self._lock:
                self._error = self._error or error
            self._stop()

    def _stop(self) -> None:
        for channel in self._channels:
            channel.close(discard=True)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        first = self._error or error  # before the stop, whose consequences may raise more
        self._stop()
        stuck = self._join()
        first = first or self._error
        if stuck and (first is None or isinstance(first, Exception)):
            raise StuckError(stuck + (f", after: {first}" if first else "")) from first
        if first is not None and stuck:
            first.add_note(stuck)  # Ctrl-C stays Ctrl-C
        if first is not None and first is not error:
            raise first

    def _join(self) -> str:
        """Which threads did not stop; empty when all did."""
        end_s = monotonic() + self._deadline_s
        for thread in self._threads:
            thread.join(max(0.0, end_s - monotonic()))
        stuck = [thread.name for thread in self._threads if thread.is_alive()]
        return f"{', '.join(stuck)} did not stop within {self._deadline_s:g} s" if stuck else ""
