"""While nobody watches, nothing is computed."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest
from pullfocus.stream.fan import Fan
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.idle import Gate
from pullfocus.stream.outlet import OpenSink
from pullfocus.stream.pipeline import run
from pullfocus.stream.sinks import NullSink
from pullfocus.stream.synthetic import SyntheticSource

from .unchanged import Render

PICTURE = np.zeros((16, 16, 3), np.uint8)


class Clock:
    """Ten frames a second of simulated time."""

    live = True

    def __init__(self, seconds: float) -> None:
        self.now_s, self._count = 0.0, round(seconds * 10)

    def frames(self):
        for index in range(self._count):
            self.now_s = index / 10
            yield Frame(PICTURE, index, index, Fraction(1, 10))


class Page:
    """A sink that somebody looks at or not."""

    def __init__(self) -> None:
        self.watched = False
        self.seen: list[int] = []

    def write(self, rendered: Rendered) -> bool:
        self.seen.append(rendered.frame.index)
        return True


def test_the_gate_closes_after_a_moment_and_opens_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock(10.0)
    watchers = [(2.0, 3.5), (5.0, 5.1), (9.9, 10.0)]
    gate = Gate(clock, lambda: any(a <= clock.now_s < b for a, b in watchers), 1.0, lambda: clock.now_s)
    passed = [frame.index for frame in gate.frames() if frame is not None]
    # A second of grace at the start and after each watcher.
    assert passed == [*range(10), *range(20, 44), *range(50, 60), 99]
    assert gate.idle_s == pytest.approx(1.0 + 0.6 + 3.9)
    assert capsys.readouterr().err.count("nobody watches") == 1


def test_one_watched_sink_is_enough() -> None:
    page = Page()
    with Fan() as fan:
        fan.add_inline(OpenSink("browser", page))
        assert not fan.watched
        page.watched = True
        assert fan.watched
        page.watched = False
        fan.add_inline(OpenSink("null", NullSink()))  # which cannot tell
        assert fan.watched


def test_stages_rest_while_nobody_watches() -> None:
    page, rendered = Page(), list[int]()

    class Counting(Render):
        def __call__(self, frame: Frame) -> Rendered:
            rendered.append(frame.index)
            page.watched = page.watched and frame.index < 45
            return super().__call__(frame)

    class Visited(SyntheticSource):
        def frames(self):
            for frame in super().frames():
                page.watched = page.watched or frame.index == 40
                yield frame

    with Fan() as fan:
        fan.add_inline(OpenSink("browser", page))
        gate = Gate(Visited((32, 48), live=False, frames=100), lambda: fan.watched, grace_s=0.0)
        run(gate, [Counting()], fan, on_idle=fan.idle)
    assert rendered[0] == 40
    assert page.seen == rendered
    assert 45 <= rendered[-1] < 60  # a few were under way between the threads
    assert gate.idle_s > 0.0


def test_a_run_that_nobody_watches_ends_at_once() -> None:
    """The source goes on for ever, and hands over nothing."""
    gate = Gate(SyntheticSource((32, 48)), lambda: False, grace_s=0.0)
    ends = iter([True] * 5)
    report = run(gate, [Render()], NullSink(), on_idle=lambda: next(ends, False))
    assert report.frames == 0
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("pullfocus-")]
