"""Several sinks at once, as one: what belongs to the main thread stays there, the rest get a thread each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic
from types import TracebackType

from ..engines.interrupts import Interrupts
from ..kernels.errors import PullfocusError, StuckError
from .frame import Rendered
from .idle import Watched
from .outlet import AnsweringSink, InformedSink, OpenSink, Outlet, Patience, Tally
from .report import Moment, Report, SinkFacts

ENOUGH = 60


class Fan:
    """Gives each frame to all sinks. The block owns the sinks and their threads, and waits for them at its end.

    A live view or a network sink that fails is said and left out, as long as others remain. A recording that fails
    ends the run, and so does anything that pullfocus does not expect.
    """

    def __init__(self, patience: Patience = Patience()) -> None:  # noqa: B008 - it is frozen
        self._patience = patience
        self._inline: list[tuple[OpenSink, Tally]] = []
        self._outlets: list[Outlet] = []
        self._said: set[Outlet] = set()
        self._stuck: list[str] = []
        self.can_wait = False  # the frames' source: no recording then misses one, however slow it is

    def __enter__(self) -> Fan:
        return self

    def add_inline(self, opened: OpenSink) -> None:
        """A sink that is called in the caller's thread."""
        self._inline.append((opened, Tally()))

    def add(self, opened: OpenSink) -> None:
        """A sink that gets a thread of its own."""
        self._outlets.append(Outlet(opened, self._patience))

    def free_name(self, name: str) -> str:
        """The name, or with a number where another sink is called so: secrets are left out of names."""
        taken = [opened.name for opened, _ in self._inline] + [outlet.name for outlet in self._outlets]
        numbered = (f"{name} ({number})" for number in range(2, len(taken) + 3))
        return name if name not in taken else next(each for each in numbered if each not in taken)

    def write(self, rendered: Rendered) -> bool:
        """Hand over a frame; False when a sink's user ends the run. Raises what a sink failed with that must not."""
        self._check()
        for outlet in self._outlets:
            if self.can_wait:
                outlet.wait_for_room()
            outlet.offer(rendered)
        more = True
        for opened, tally in self._inline:
            more &= opened.sink.write(rendered)
            tally.took(rendered)
        return more and all(outlet.more for outlet in self._outlets)

    def idle(self) -> bool:
        """While no frame comes. The sinks with a thread are asked there."""
        self._check()
        more = [opened.sink.idle() for opened, _ in self._inline if isinstance(opened.sink, AnsweringSink)]
        return all(more) and all(outlet.more for outlet in self._outlets)

    @property
    def watched(self) -> bool:
        """Whether anybody may look at any of the sinks. Any thread may ask."""
        sinks = [opened.sink for opened, _ in self._inline]
        sinks += [outlet.sink for outlet in self._outlets if outlet.error is None]
        return any(sink.watched if isinstance(sink, Watched) else True for sink in sinks)

    def started(self, now: Callable[[], Moment], /) -> None:
        sinks = [opened.sink for opened, _ in self._inline] + [outlet.sink for outlet in self._outlets]
        for sink in sinks:
            if isinstance(sink, InformedSink):
                sink.started(now)

    def told(self, report: Report) -> Report:
        """The report with what each sink took; after the block."""
        inline = {opened.name: tally.facts() for opened, tally in self._inline}
        outlets = {outlet.name: outlet.facts() for outlet in self._outlets}
        delay_ms = audio_delay_ms(outlets[outlet.name] for outlet in self._outlets if outlet.goes_out)
        notes = [
            f"{outlet.name}: {outlets[outlet.name].dropped} frames are missing in it; it could not keep up"
            for outlet in self._outlets
            if outlet.keeps and outlets[outlet.name].dropped
        ]
        if delay_ms is not None:
            notes.append(f"set your call program's audio delay to {delay_ms} ms: so much later is the picture")
        notes = [*report.notes, *notes, *self._stuck]
        return replace(report, sinks=inline | outlets, notes=notes, audio_delay_ms=delay_ms)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with Interrupts() as interrupts:  # a recording that is not finished has a damaged end
            for outlet in self._outlets:
                outlet.end(error)
            for opened, _ in self._inline:
                opened.close(error)
            self._join()
            self._settle(error)
            if error is None:
                interrupts.check()

    def _join(self) -> None:
        started_s = monotonic()
        stuck = [outlet for outlet in self._outlets if not outlet.join(started_s)]
        self._stuck = [f"{outlet.name} did not end within {outlet.deadline_s:g} s" for outlet in stuck]
        for line in self._stuck:
            print(f"pullfocus: {line}", file=sys.stderr)
        for outlet in stuck:
            if outlet.keeps:
                outlet.error = outlet.error or StuckError(f"{outlet.name} may be incomplete")

    def _settle(self, error: BaseException | None) -> None:
        """Nothing that failed goes unsaid; without an `error` that ended the run, it may become one."""
        if error is None:
            self._check()
            return
        for outlet in self._failed():
            if outlet.error is not error:
                print(f"pullfocus: {outlet.error}", file=sys.stderr)

    def _check(self) -> None:
        """Raises the error of a sink that the run cannot go on without; says the others."""
        for outlet in self._failed():
            self._said.add(outlet)
            assert outlet.error is not None
            remain = bool(self._inline) or any(other.error is None for other in self._outlets)
            if outlet.keeps or not remain or not isinstance(outlet.error, PullfocusError):
                raise outlet.error
            print(f"pullfocus: {outlet.error}; the run goes on without {outlet.name}", file=sys.stderr)

    def _failed(self) -> list[Outlet]:
        return [outlet for outlet in self._outlets if outlet.error is not None and outlet not in self._said]


def audio_delay_ms(sinks: Iterable[SinkFacts]) -> int | None:
    """By how much sound must be delayed to be in step with the latest of the sinks, in tens; None without a picture.

    A run of less than ENOUGH frames does not tell: the first ones wait for a connection.
    """
    p50s_ms = [facts.latency.p50_ms for facts in sinks if facts.latency.count >= ENOUGH]
    return round(max(p50s_ms) / 10) * 10 if p50s_ms else None
