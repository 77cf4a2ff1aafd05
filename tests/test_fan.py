"""Several sinks at once: one that is slow, hangs or fails, and what the others see of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from pullfocus.kernels.errors import OutputError, StuckError
from pullfocus.stream.fan import Fan
from pullfocus.stream.frame import Rendered
from pullfocus.stream.outlet import OpenSink, Patience
from pullfocus.stream.pipeline import Interrupted
from pullfocus.stream.pipeline import run as run_pipeline
from pullfocus.stream.report import Meter
from pullfocus.stream.synthetic import SyntheticSource

from .command import wait_for
from .kept_sinks import Keep, frames, report
from .unchanged import Render

SHORT = Patience(live_end_s=0.05, keeping_end_s=0.05)


class Answering(Keep):
    def __init__(self) -> None:
        super().__init__()
        self.more = True
        self.informed = False

    def idle(self) -> bool:
        return self.more

    def started(self, now: Any) -> None:
        self.informed = now() is not None


def feed(
    count: int,
    opened: OpenSink,
    others: Sequence[OpenSink] = (),
    error: BaseException | None = None,
    patience: Patience = Patience(),  # noqa: B008 - it is frozen
) -> None:
    """Frames for a sink with a thread and for `others` without; `error` ends the run."""
    with Fan(patience) as fan:
        for other in others:
            fan.add_inline(other)
        fan.add(opened)
        for item in frames(count):
            fan.write(item)
        if error is not None:
            raise error


def test_a_view_that_hangs_holds_up_nobody_and_a_recording_gets_every_frame() -> None:
    here, view, recording = Keep(), Keep(wait_at=0), Keep()
    with Fan() as fan:
        fan.add_inline(OpenSink("window", here))
        fan.add(OpenSink("view", view))
        fan.add(OpenSink("a.mp4", recording, keeps=True))
        for item in frames(40):
            assert fan.write(item)
        view.go_on.set()
    assert here.seen == recording.seen == list(range(40))
    assert here.threads == {threading.get_ident()}
    assert here.threads.isdisjoint(view.threads | recording.threads)
    assert view.seen[-1] == 39  # the newest
    facts = fan.told(report()).sinks
    assert [facts[name].frames for name in ("window", "view", "a.mp4")] == [40, len(view.seen), 40]
    assert facts["view"].dropped == 40 - len(view.seen) > 0
    assert facts["a.mp4"].latency.count == 40


def test_a_view_that_fails_is_said_once_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    good, broken = Keep(), Keep(fail_at=0)
    with Fan() as fan:
        fan.add(OpenSink("good", good, keeps=True))
        fan.add(OpenSink("rtmp://there", broken))
        for item in frames(60):
            fan.write(item)
    assert good.seen == list(range(60))
    assert capsys.readouterr().err == ("pullfocus: frames cannot be sent; the run goes on without rtmp://there\n")
    assert fan.told(report()).sinks["rtmp://there"].failed == "frames cannot be sent"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_recording_that_fails_ends_the_run_and_so_does_the_last_view(keeps: bool) -> None:
    broken = Keep(fail_at=3)
    others = [OpenSink("null", Keep())] if keeps else []
    with pytest.raises(OutputError, match="frames cannot be sent"):
        feed(200, OpenSink("out", broken, keeps=keeps), others=others)
    assert broken.seen == sorted(broken.seen)
    assert max(broken.seen, default=0) < 3


def test_a_failure_at_the_very_end_is_raised_too() -> None:
    class Full(ExitStack):
        def __exit__(self, *error: Any) -> bool:
            raise OutputError("the disk is full")

    with pytest.raises(OutputError, match="the disk is full"):
        feed(3, OpenSink("a.mp4", Keep(), Full(), keeps=True))


def test_a_sink_that_does_not_end_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    hanging = Keep(wait_at=0)
    with Fan(SHORT) as fan:
        fan.add_inline(OpenSink("null", Keep()))
        fan.add(OpenSink("srt://there", hanging))
        fan.write(next(frames(1)))
        wait_for(lambda: bool(hanging.threads))
    hanging.go_on.set()
    assert "srt://there did not end within 0.05 s" in capsys.readouterr().err
    assert "srt://there did not end within 0.05 s" in fan.told(report()).notes
    hanging = Keep(wait_at=0)
    with pytest.raises(StuckError, match=r"a\.mp4 may be incomplete"):
        feed(1, OpenSink("a.mp4", hanging, keeps=True), patience=SHORT)
    hanging.go_on.set()


def test_the_sound_is_to_wait_for_the_latest_picture_that_goes_out() -> None:
    def old(seconds: float) -> Rendered:
        frame = replace(next(frames(1)).frame, captured_s=monotonic() - seconds)
        return Render()(frame)

    with Fan() as fan:
        fan.add(OpenSink("a.mp4", Keep(), keeps=True))
        fan.write(old(9.0))
    assert fan.told(report()).audio_delay_ms is None  # nobody else sees it
    with Fan() as fan:
        fan.add(OpenSink("virtual", Keep(), keeps=True, goes_out=True))
        for _ in range(60):
            fan.write(old(0.5))
    told = fan.told(report())
    assert told.audio_delay_ms is not None
    assert told.audio_delay_ms % 10 == 0
    assert 500 <= told.audio_delay_ms < 1500
    assert any(f"audio delay to {told.audio_delay_ms} ms" in note for note in told.notes)


def test_idle_and_started_reach_every_sink_that_wants_them() -> None:
    inline, threaded = Answering(), Answering()
    with Fan() as fan:
        fan.add_inline(OpenSink("window", inline))
        fan.add(OpenSink("browser", threaded))
        fan.started(lambda: Meter(["source", "sink"]).now([]))
        assert (inline.informed, threaded.informed) == (True, True)
        assert fan.idle()
        inline.more = False
        assert not fan.idle()
        inline.more = True
        threaded.more = False
        wait_for(lambda: not fan.idle())
        assert not fan.write(next(frames(1)))


def test_ctrl_c_closes_the_sinks_with_what_ended_the_run() -> None:
    class Life(ExitStack):
        error: BaseException | None = None

        def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
            self.error = error
            return False

    life, stop = Life(), Interrupted(report())
    with pytest.raises(Interrupted):
        feed(1, OpenSink("a.mp4", Keep(), life, keeps=True), error=stop)
    assert life.error is stop


def test_a_pipeline_hands_all_frames_to_all_sinks() -> None:
    first, second = Keep(), Keep()
    with Fan() as fan:
        fan.add(OpenSink("a.mkv", first, keeps=True))
        fan.add(OpenSink("b.mkv", second, keeps=True))
        run_pipeline(SyntheticSource((32, 48), live=False, frames=50), [Render()], fan, on_idle=fan.idle)
    assert first.seen == second.seen == list(range(50))
