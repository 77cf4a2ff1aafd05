"""One of several sinks: its name, what it took, and a thread of its own where it may be slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Any, Protocol, runtime_checkable

from ..engines.interrupts import check_interrupts
from .channel import Channel, ChannelClosed
from .frame import Rendered
from .pipeline import IDLE_S, Sink
from .report import RECENT_FRAMES, Moment, SinkFacts, Spread

KEPT = 8  # frames that wait for a recording


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a sink is waited for, in seconds.

    frame_s: the pipeline, for a recording that is KEPT frames behind. live_end_s and keeping_end_s: at the end; a
    recording has frames to encode then, and flushes its file to the disk.
    """

    frame_s: float = 0.5
    live_end_s: float = 2.0
    keeping_end_s: float = 60.0


@runtime_checkable
class AnsweringSink(Sink, Protocol):
    """A sink whose user may want something while no frame comes."""

    def idle(self) -> bool:
        """False ends the run."""
        ...


@runtime_checkable
class InformedSink(Sink, Protocol):
    """A sink that shows how the run does."""

    def started(self, now: Callable[[], Moment], /) -> None:
        """The run begins; `now` may be called at any moment, in any thread."""
        ...


@runtime_checkable
class WaitingSink(Sink, Protocol):
    """A sink that may wait for somebody else."""

    def stop(self) -> None:
        """The run ends: wait no more. Called from another thread than `write`."""
        ...


class FrameLost(Exception):  # noqa: N818 - not an error
    """Raised by a sink's `write`: this frame went nowhere, the next ones may. Never reaches the user."""


@dataclass(frozen=True, slots=True)
class OpenSink:
    """A sink that is ready for frames. life: closes it, and learns of the run's error; it has been entered.

    keeps: it is to have every frame that the pipeline delivers, as a recording is; else only the newest counts.
    goes_out: others see it, and hear sound that goes another way.
    """

    name: str
    sink: Sink
    life: AbstractContextManager[Any] | None = None
    keeps: bool = False
    goes_out: bool = False

    def close(self, error: BaseException | None) -> None:
        """error: what ended the run."""
        if self.life is not None:
            self.life.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class Tally:
    """Counts what a sink took. One thread writes."""

    def __init__(self) -> None:
        self.frames = 0
        self._latencies_s: deque[float] = deque(maxlen=RECENT_FRAMES)

    def took(self, rendered: Rendered) -> None:
        self.frames += 1
        self._latencies_s.append(monotonic() - rendered.frame.captured_s)

    def facts(self, dropped: int = 0, error: BaseException | None = None) -> SinkFacts:
        return SinkFacts(self.frames, dropped, Spread.of(list(self._latencies_s)), str(error) if error else "")


class Outlet:
    """A sink in a thread of its own, so that one that is slow or hangs holds up nobody else.

    The thread belongs to the `with` block of the `Fan` that made it. It also closes the sink, because that may take
    as long as anything else that the sink does.
    """

    def __init__(self, opened: OpenSink, patience: Patience) -> None:
        self.name, self.keeps, self.goes_out = opened.name, opened.keeps, opened.goes_out
        self.error: Exception | None = None  # what ended it before its time
        self.more = True  # False: its user has ended the run
        self.sink, self._opened, self._tally = opened.sink, opened, Tally()
        self._channel: Channel[Rendered] = Channel(opened.name, KEPT if opened.keeps else 1, not opened.keeps)
        self.deadline_s = patience.keeping_end_s if opened.keeps else patience.live_end_s
        self._patience_s = patience.frame_s
        self._behind, self._lost = False, 0
        self._run_error: BaseException | None = None
        self._thread = Thread(target=self._work, name=f"pullfocus-sink-{opened.name}", daemon=True)
        self._thread.start()

    def offer(self, rendered: Rendered) -> None:
        """Hand over a frame. Waits for a recording that is a few frames behind, but not for one that stands still."""
        if self.error is not None:
            return
        try:
            self._channel.put(rendered, (0.0 if self._behind else self._patience_s) if self.keeps else None)
            self._behind = False
        except TimeoutError:
            self._behind = True
        except ChannelClosed:
            pass  # the thread has ended meanwhile, and says why

    def wait_for_room(self) -> None:
        """For a recording, however long it takes. Raises KeyboardInterrupt at Ctrl-C."""
        while self.keeps and not self._channel.has_room(IDLE_S):
            check_interrupts()

    def end(self, run_error: BaseException | None) -> None:
        """No more frames; those that wait are still written. run_error: what ended the run."""
        self._run_error = run_error
        self._channel.close()
        if isinstance(self.sink, WaitingSink):
            self.sink.stop()

    def join(self, started_s: float) -> bool:
        """Wait for its end, not for ever; False when it is stuck. started_s: when all of them were asked to end."""
        self._thread.join(max(0.0, started_s + self.deadline_s - monotonic()))
        return not self._thread.is_alive()

    def facts(self) -> SinkFacts:
        return self._tally.facts(self._channel.stats.dropped + self._lost, self.error)

    def _work(self) -> None:
        try:
            self._write_all()
        except Exception as error:
            self.error = error
        self._channel.close(discard=True)
        try:
            self._opened.close(self.error or self._run_error)
        except Exception as error:
            self.error = self.error or error

    def _write_all(self) -> None:
        answering = self.sink if isinstance(self.sink, AnsweringSink) else None
        while self.more:
            try:
                rendered = self._channel.get(None if answering is None else IDLE_S)
            except ChannelClosed:
                return
            except TimeoutError:
                self.more = answering is None or answering.idle()
                continue
            try:
                self.more = self.sink.write(rendered)
                self._tally.took(rendered)
            except FrameLost:
                self._lost += 1
