"""The live soak in small: six seconds, no net; and its own faults are found."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread

import pytest
from pullfocus.benchmarks.live_soak import LiveSoakRequest, LiveSoakResult, find_faults, growth, live_soak
from pullfocus.benchmarks.lossy_camera import Mishaps
from pullfocus.benchmarks.soak import Memory

pytestmark = pytest.mark.real_time

REQUEST = LiveSoakRequest(
    6.0, "plane", mishaps=Mishaps((0.8, 1.2), (0.5, 0.8)), stall_s=0.3, sample_every_s=0.2, memory_tolerance=1.0,
    return_limit_s=6.0,
)  # fmt: skip
GOOD = LiveSoakResult(100, 0, 30.0, 3, 9.0, 1.0, 50, Memory(10, 100.0, 101.0, 0.0), 0.01)


def test_a_short_run_outlives_all() -> None:
    # Six seconds are too short to judge memory, and a busy machine's returns.
    result = live_soak(REQUEST)
    assert result.faults == []
    assert result.losses >= 1
    assert result.frames > 20
    assert result.turns > 0
    assert result.slowest_return_s > 0.0
    assert result.memory.samples > 5


def test_no_fault_in_a_good_run() -> None:
    assert find_faults(LiveSoakRequest(60.0), GOOD, lost=3, returned=3) == []
    assert find_faults(LiveSoakRequest(60.0), GOOD, lost=4, returned=3) == []  # lost just before the end


@pytest.mark.parametrize(
    ("result", "lost", "returned", "word"),
    [
        (GOOD, 4, 2, "no frame came after 2 of 4 losses"),
        (GOOD, 0, 0, "never lost"),
        (replace(GOOD, slowest_return_s=2.5), 3, 3, "2.5 s from a camera's return"),
        (replace(GOOD, growth=0.06), 3, 3, "grown by 6.0%"),
        (replace(GOOD, frames=0), 3, 3, "no frame came"),
    ],
)
def test_each_fault_is_named(result: LiveSoakResult, lost: int, returned: int, word: str) -> None:
    (fault,) = find_faults(LiveSoakRequest(60.0), result, lost, returned)
    assert word in fault


def test_a_thread_that_is_left_is_a_fault() -> None:
    end = Event()
    left = Thread(target=end.wait, name="pullfocus-depth")
    left.start()
    try:
        assert find_faults(LiveSoakRequest(60.0), GOOD, 3, 3) == ["threads are left: pullfocus-depth"]
    finally:
        end.set()
        left.join()


def test_growth_is_judged_after_the_warm_up() -> None:
    samples = [(0.0, 10.0), *((float(t), 100.0) for t in range(2, 5)), *((float(t), 110.0) for t in range(5, 8))]
    assert growth(samples, after_s=1.0) == pytest.approx(0.1)
    assert growth(samples[:2], after_s=1.0) == 0.0
