"""The whole line of threads: order, ends, failures, drops."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels import Kernels
from pullfocus.kernels.errors import EngineError
from pullfocus.stream.config import Settings
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.pipeline import Interrupted, Stage, run
from pullfocus.stream.sinks import NullSink
from pullfocus.stream.stages import DepthStage, LayersStage, NetDepth, RefocusStage
from pullfocus.stream.synthetic import SyntheticSource
from pullfocus.stream.targets import Fixed

SMALL_HW = (48, 64)
DEADLINE_S = 2.0


@dataclass
class Keep:
    """A sink that remembers what it got; `at` calls `event` at that frame."""

    at: int = -1
    event: Callable[[], bool] = lambda: True
    delay_s: float = 0.0
    got: list[Rendered] = field(default_factory=list[Rendered])

    def write(self, rendered: Rendered, /) -> bool:
        self.got.append(rendered)
        sleep(self.delay_s)
        return self.event() if rendered.frame.index == self.at else True

    @property
    def indices(self) -> list[int]:
        return [rendered.frame.index for rendered in self.got]


class Failing:
    """A stage that hands on what `inner` makes, and fails at one frame."""

    def __init__(self, inner: Stage, at: int, error: BaseException) -> None:
        self.name = inner.name
        self._inner, self._at, self._error, self._seen = inner, at, error, 0

    def __call__(self, item: Any, /) -> Any:
        self._seen += 1
        if self._seen > self._at:
            raise self._error
        return self._inner(item)


class FailingSource:
    """Frames for ever, or until `error` comes at frame `at`."""

    live = False

    def __init__(self, at: int, error: BaseException) -> None:
        self._at, self._error = at, error

    def frames(self) -> Iterator[Frame]:
        for frame in SyntheticSource(SMALL_HW, live=False).frames():
            if frame.index == self._at:
                raise self._error
            yield frame


def make_stages(kernels: Kernels) -> list[Stage]:
    settings = Settings(focus=Fixed(0.9), layers=3, engine=EngineRequest("plane"))
    depth = NetDepth(PlaneEngine(), kernels, settings)
    return [
        DepthStage(depth),
        LayersStage(kernels, settings, FocusPuller(settings)),
        RefocusStage(kernels, settings),
    ]


@pytest.fixture
def stages(kernels: Kernels) -> list[Stage]:
    return make_stages(kernels)


def endless() -> SyntheticSource:
    return SyntheticSource(SMALL_HW, live=False)


def threads_left() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("pullfocus-")]


def test_end_of_input_drains_every_frame_in_order(stages: list[Stage]) -> None:
    sink, done = Keep(delay_s=0.002), list[int]()
    report = run(SyntheticSource(SMALL_HW, live=False, frames=40), stages, sink, on_frame=done.append)
    assert sink.indices == list(range(40))
    assert done == list(range(1, 41))
    assert (report.frames, report.dropped) == (40, 0)
    assert {name: spread.count for name, spread in report.stages.items()} == dict.fromkeys(
        ["source", "depth", "layers", "refocus", "sink"], 40
    )
    assert not threads_left()


def test_empty_input_ends_at_once(stages: list[Stage]) -> None:
    class Nothing:
        live = False

        def frames(self) -> Iterator[Frame]:
            return iter(())

    assert run(Nothing(), stages, NullSink()).frames == 0


def test_stages_blur_what_is_far_from_the_focus(stages: list[Stage]) -> None:
    sink = Keep()
    run(SyntheticSource((240, 320), live=False, frames=1), stages, sink)
    source, out = sink.got[0].frame.picture, sink.got[0].picture
    change = np.abs(source.astype(int) - out).mean(axis=(1, 2))
    assert change[:40].mean() > 5 * change[-30:].mean()  # the plane engine: far at the top, focus near the bottom


@pytest.mark.parametrize("position", [0, 1, 2])
def test_failure_of_a_stage_is_raised_and_ends_all_threads(stages: list[Stage], position: int) -> None:
    error = EngineError("no luck")
    stages[position] = Failing(stages[position], at=7, error=error)
    assert_ends_with(error, lambda: run(endless(), stages, NullSink()))


def test_failure_of_the_source_is_raised_and_ends_all_threads(stages: list[Stage]) -> None:
    error = OSError("unplugged")
    assert_ends_with(error, lambda: run(FailingSource(7, error), stages, NullSink()))


@pytest.mark.parametrize("error", [ValueError("full"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_failure_of_the_sink_is_raised_and_ends_all_threads(stages: list[Stage], error: BaseException) -> None:
    def fail() -> bool:
        raise error

    assert_ends_with(error, lambda: run(endless(), stages, Keep(at=7, event=fail)))


def assert_ends_with(error: BaseException, work: Callable[[], object]) -> None:
    started_s = monotonic()
    with pytest.raises(type(error)) as caught:
        work()
    assert error in (caught.value, caught.value.__cause__)  # Ctrl-C comes with the report of what was done
    assert monotonic() - started_s < DEADLINE_S
    assert not threads_left()


@pytest.mark.parametrize("at", [0, 1, 30])
def test_ctrl_c_ends_the_run_whenever_it_comes(stages: list[Stage], at: int) -> None:
    """At 0 it comes while the threads are still being started."""

    class Source:
        live = False

        def frames(self) -> Iterator[Frame]:
            for frame in endless().frames():
                if frame.index == at:
                    os.kill(os.getpid(), signal.SIGINT)
                yield frame

    started_s = monotonic()
    with pytest.raises(Interrupted):
        run(Source(), stages, NullSink())
    assert monotonic() - started_s < DEADLINE_S
    assert not threads_left()


def test_sink_that_says_false_ends_the_run_cleanly(stages: list[Stage]) -> None:
    sink = Keep(at=5, event=lambda: False)
    report = run(endless(), stages, sink)
    assert sink.indices == list(range(6))
    assert report.frames == 6
    assert not threads_left()


@pytest.mark.real_time
def test_live_source_drops_frames_and_stays_recent(stages: list[Stage]) -> None:
    sink = Keep(delay_s=0.05)
    report = run(SyntheticSource(SMALL_HW, Fraction(100), live=True, frames=60), stages, sink)
    assert report.dropped > 10
    assert report.frames + report.dropped == 60
    assert sink.indices == sorted(set(sink.indices))
    assert sink.indices[-1] == 59
    assert report.latency.p95_ms < 600  # five hands of one frame each, not a growing queue


@pytest.mark.real_time
def test_slow_sink_shows_in_the_waits(stages: list[Stage]) -> None:
    report = run(SyntheticSource(SMALL_HW, live=False, frames=25), stages, Keep(delay_s=0.02))
    assert report.waits["refocus→sink"].full_s > 0.1
    assert report.bottleneck == "sink"


@pytest.mark.real_time
def test_slow_source_shows_in_the_waits(stages: list[Stage]) -> None:
    report = run(SyntheticSource(SMALL_HW, Fraction(50), live=True, frames=15), stages, NullSink())
    assert report.waits["source→depth"].empty_s > 0.1
    assert report.bottleneck == "source"


def test_same_input_gives_the_same_pictures(kernels: Kernels) -> None:
    first, second = Keep(), Keep()
    for sink in (first, second):
        run(SyntheticSource(SMALL_HW, live=False, frames=6), make_stages(kernels), sink)
    for a, b in zip(first.got, second.got, strict=True):
        np.testing.assert_array_equal(a.picture, b.picture)


def test_a_stage_that_hangs_is_named_while_the_error_is_kept(stages: list[Stage]) -> None:
    release = threading.Event()
    pending = ValueError("full")

    class Hanging:
        name = "depth"

        def __call__(self, item: Frame, /) -> Any:
            return stages[0](item) if item.index < 5 else release.wait()

    def fail() -> bool:
        raise pending

    with pytest.raises(Exception, match="pullfocus-depth did not stop within 2 s") as caught:
        run(endless(), [Hanging(), *stages[1:]], Keep(at=4, event=fail))
    assert caught.value.__cause__ is pending
    release.set()
