"""How long a recording that stands still is waited for."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from pullfocus.engines.interrupts import Interrupts
from pullfocus.stream.fan import Fan
from pullfocus.stream.outlet import OpenSink, Patience

from .kept_sinks import Keep, frames, report


def feed_patiently(count: int, opened: OpenSink) -> None:
    """Frames of a source that can wait, while Ctrl-C is heard as in a run."""
    with Fan() as fan, Interrupts():
        fan.can_wait = True
        fan.add(opened)
        for item in frames(count):
            fan.write(item)


def test_a_recording_that_stands_still_loses_frames_and_says_so() -> None:
    recording = Keep(wait_at=0)
    with Fan(Patience(frame_s=0.01)) as fan:
        fan.add(OpenSink("a.mp4", recording, keeps=True))
        for item in frames(30):
            fan.write(item)
        recording.go_on.set()
    told = fan.told(report())
    assert told.sinks["a.mp4"].dropped == 30 - len(recording.seen) > 0
    assert recording.seen[:5] == list(range(5))  # the oldest are kept, in order
    assert any("a.mp4" in note and "could not keep up" in note for note in told.notes)


def test_a_source_that_can_wait_waits_for_a_recording_however_long_it_stands_still() -> None:
    recording, view = Keep(wait_at=0), Keep()
    with Fan(Patience(frame_s=0.01)) as fan:
        fan.can_wait = True
        fan.add(OpenSink("a.mp4", recording, keeps=True))
        fan.add(OpenSink("view", view))
        threading.Timer(0.3, recording.go_on.set).start()
        for item in frames(30):
            fan.write(item)
    assert recording.seen == list(range(30))
    assert fan.told(report()).sinks["a.mp4"].dropped == 0


def test_ctrl_c_ends_the_wait_for_a_recording() -> None:
    recording = Keep(wait_at=0)

    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        threading.Timer(0.3, recording.go_on.set).start()

    threading.Timer(0.3, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        feed_patiently(1000, OpenSink("a.mp4", recording, keeps=True))
    assert recording.seen == list(range(len(recording.seen)))
    assert len(recording.seen) < 30  # what waited when Ctrl-C came
