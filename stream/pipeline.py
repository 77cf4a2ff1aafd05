"""One frame's way: capture → depth → layers → refocus → sink, each in its own thread.

The sink runs in the caller's thread, because windows belong to the main thread and Ctrl-C arrives
there. A source that is `live` lets the newest frame win; any other waits, and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from time import monotonic
from typing import Any, Protocol

from ..engines.interrupts import Interrupts
from .channel import Channel, ChannelClosed
from .crew import Crew
from .frame import Frame, Rendered
from .report import Meter, Moment, Report

CAPACITY = 3  # enough to overlap stages of uneven pace; live channels hold one
# How long a sink is left alone, and Ctrl-C unanswered, when no frame comes: a window forgets a key when the next comes.
IDLE_S = 0.02


class Source(Protocol):
    """Gives frames. `live` decides whether frames may be dropped."""

    @property
    def live(self) -> bool: ...

    def frames(self) -> Iterator[Frame]:
        """Frames until the end of input. Raises InputError when the input breaks."""
        ...


class RestingSource(Protocol):
    """A `Source` that may hold frames back."""

    @property
    def live(self) -> bool: ...

    def frames(self) -> Iterator[Frame | None]:
        """As a source's. None in place of one held back: only between two of them a run that ends is noticed."""
        ...


class Sink(Protocol):
    """Takes rendered frames, in the caller's thread."""

    def write(self, rendered: Any, /) -> bool:
        """Take a frame; False ends the run (the user closed the window)."""
        ...


class Stage(Protocol):
    """A step between source and sink: passive, one thread calls it."""

    @property
    def name(self) -> str: ...

    def __call__(self, item: Any, /) -> Any: ...


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the report of what was done until then."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def run(
    source: RestingSource,
    stages: Sequence[Stage],
    sink: Sink,
    *,
    engine: str = "",
    notes: list[str] | None = None,
    on_frame: Callable[[int], None] | None = None,
    on_idle: Callable[[], bool] | None = None,
    on_start: Callable[[Callable[[], Moment]], None] | None = None,
    capacity: int = CAPACITY,
    meter: Meter | None = None,
) -> Report:
    """Run to the end of input. The first error of any thread ends everything and is raised here.

    on_idle: called while no frame comes; False ends the run. on_start: is given what tells how the run does, at any
    moment and in any thread. capacity: of the channels of a source that is not live. meter: for `step_names`, where the
    caller wants what it collects. Raises Interrupted at Ctrl-C, which takes effect between two frames.
    """
    names = step_names(stages)
    capacity = 1 if source.live else capacity
    channels: list[Channel[Any]] = [Channel(f"{a}→{b}", capacity, newest_wins=source.live) for a, b in pairwise(names)]
    meter = meter or Meter(names)
    if on_start is not None:
        on_start(lambda: meter.now(channels))
    try:
        with Interrupts() as interrupts:
            with Crew(channels) as crew:
                crew.start("source", lambda: _pump(source, channels[0], meter.durations_s["source"].append))
                for stage, inbox, outbox in zip(stages, channels, channels[1:]):
                    crew.start(stage.name, _stage_work(stage, inbox, outbox, meter.durations_s[stage.name].append))
                _drain(_frames(channels[-1], interrupts, on_idle), sink, meter, on_frame)
            interrupts.check()  # it came after the last frame
    except KeyboardInterrupt as stop:
        told = [*(notes or []), *getattr(stop, "__notes__", [])]  # a thread that did not stop is named there
        raise Interrupted(meter.report(channels, engine, told)) from stop
    return meter.report(channels, engine, notes or [])


def step_names(stages: Sequence[Stage]) -> list[str]:
    """What a run's time is told for, in a frame's order."""
    return ["source", *(stage.name for stage in stages), "sink"]


def _pump(source: RestingSource, out: Channel[Frame], record: Callable[[float], None]) -> None:
    started_s = monotonic()
    for frame in source.frames():
        if frame is None:
            out.check()
        else:
            record(monotonic() - started_s)
            out.put(frame)
        started_s = monotonic()
    out.close()


def _stage_work(
    stage: Stage, inbox: Channel[Any], outbox: Channel[Any], record: Callable[[float], None]
) -> Callable[[], None]:
    def work() -> None:
        for item in inbox:
            started_s = monotonic()
            result = stage(item)
            record(monotonic() - started_s)
            outbox.put(result)
        outbox.close()

    return work


def _frames(inbox: Channel[Rendered], interrupts: Interrupts, on_idle: Callable[[], bool] | None) -> Iterator[Rendered]:
    """The frames of `inbox`; while it is empty `on_idle` is called, and ends them when it says so."""
    while True:
        interrupts.check()
        try:
            yield inbox.get(IDLE_S)
        except ChannelClosed:
            return
        except TimeoutError:
            if on_idle is not None and not on_idle():
                return


def _drain(frames: Iterator[Rendered], sink: Sink, meter: Meter, on_frame: Callable[[int], None] | None) -> None:
    for rendered in frames:
        started_s = monotonic()
        more = sink.write(rendered)
        meter.hand_over(started_s, rendered.frame.captured_s)
        if on_frame is not None:
            on_frame(meter.frames)
        if not more:
            return
