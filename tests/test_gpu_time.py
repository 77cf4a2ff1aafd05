"""Time on a GPU, with events that are played."""

from __future__ import annotations

import numpy as np
import pytest
from pullfocus.engines.gpu_time import GpuTimed, is_timed
from pullfocus.engines.plane import PlaneEngine


class PlayedEvent:
    """An event of a stream whose clock goes on by 2.5 ms with every event."""

    clock_ms = 0.0

    def __init__(self) -> None:
        self.at_ms, self.is_waited_for = -1.0, False

    def record(self) -> None:
        PlayedEvent.clock_ms += 2.5
        self.at_ms = PlayedEvent.clock_ms

    def synchronize(self) -> None:
        self.is_waited_for = True

    def elapsed_time(self, end_event: PlayedEvent) -> float:
        assert end_event.is_waited_for
        return end_event.at_ms - self.at_ms


def test_the_time_on_the_gpu_is_between_two_events() -> None:
    plain = PlaneEngine("fast")
    timed = GpuTimed(plain, PlayedEvent)
    picture = np.zeros((48, 64, 3), np.uint8)
    assert np.array_equal(timed.infer(picture), plain.infer(picture))
    timed.infer(picture)
    assert timed.durations_s == pytest.approx([0.0025, 0.0025])
    assert (timed.name, timed.detail) == (plain.name, plain.detail)
    assert not is_timed(plain)
