"""The time of live frames rises, whatever their source says of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from time import sleep
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.stream.clock import MILLISECOND, OneClock, spread_out
from pullfocus.stream.decoding import Decoder
from pullfocus.stream.frame import Frame

PICTURE = np.zeros((16, 16, 3), np.uint8)
TICK = Fraction(1, 90_000)
STEP = 3600  # ticks: 25 frames a second


def arrived(time_ms: int, captured_s: float) -> Frame:
    return Frame(PICTURE, 0, time_ms, MILLISECOND, 40, captured_s)


def rises(stamps: list[int]) -> bool:
    return all(b > a for a, b in pairwise(stamps))


def test_the_clock_keeps_an_inputs_own_times_and_takes_up_one_that_begins_anew() -> None:
    clock = OneClock()

    def at(time_ms: int, captured_s: float, session: int) -> int:
        return clock.on_the_clock(arrived(time_ms, captured_s), session).pts

    assert at(9000, 100.0, 1) == 0
    assert at(9040, 100.2, 1) == 40  # late by a network's jitter
    assert at(20, 107.0, 2) == 7000  # begun anew
    assert at(60, 107.0, 2) == 7040
    assert at(100, 110.0, 2) == 10_000  # it stood still, and went on counting where it was


def test_a_burst_from_a_buffer_keeps_its_pace_until_the_clock_has_caught_up() -> None:
    """As an RTSP server sends what has waited: two seconds of frames at once, then one every 40 ms."""
    clock = OneClock()
    captured_s = [50.0 + 0.001 * index if index < 50 else 50.05 + 0.04 * (index - 49) for index in range(200)]
    stamps = [clock.on_the_clock(arrived(40 * index, at_s), 1).pts for index, at_s in enumerate(captured_s)]
    steps = np.diff(stamps)
    assert steps.min() >= 39
    assert steps.max() <= 41


def test_a_stream_that_is_set_back_at_its_start_goes_on_rising() -> None:
    """The first report of an RTSP sender may set all times anew."""
    clock = OneClock()
    own_ms = [0, 40, 80, 80, 120, -3_600_000, -3_599_960, 70, 110, 9_000_000, 9_000_040]
    stamps = [clock.on_the_clock(arrived(t, 5.0 + 0.04 * index), 1).pts for index, t in enumerate(own_ms)]
    assert rises(stamps)
    assert stamps[-1] < 1000 * (0.4 + 1.5)  # near the clock, not hours away


@given(
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.floats(0, 5), st.integers(1, 3), st.booleans()), max_size=30)
)
def test_times_always_rise(given_frames: list[tuple[int, float, int, bool]]) -> None:
    clock, captured_s, stamps = OneClock(), 100.0, list[int]()
    for time_ms, passed_s, session, is_repeated in given_frames:
        captured_s += passed_s
        frame = clock.on_the_clock(arrived(time_ms, captured_s), session)
        stamps.append(frame.pts)
        if is_repeated:
            stamps.append(clock.again(frame).pts)
    assert rises(stamps)


class Stamped(Decoder):
    """Frames with these timestamps, as if they came from a stream of 25 a second."""

    def __init__(self, *stamps: int | None) -> None:
        context = SimpleNamespace(name="h264")
        stream = SimpleNamespace(
            time_base=TICK, average_rate=Fraction(25), guessed_rate=None, metadata={}, codec_context=context
        )
        super().__init__("rtsp://there", cast(Any, None), cast(Any, stream), strict=False)
        self._stamps = stamps

    def _decode(self) -> Iterator[VideoFrame]:
        for stamp in self._stamps:
            frame = VideoFrame(16, 16, "yuv420p")
            frame.pts, frame.time_base = stamp, TICK
            yield frame


def test_decoded_frames_have_times_that_rise_also_where_the_stream_has_none() -> None:
    missing = [pts for _, pts in Stamped(None, None, None).frames()]
    assert missing == [0, STEP, 2 * STEP]
    mixed = Stamped(None, None, 2**33 - 1, None, 0, STEP, STEP, None, -5 * STEP, -4 * STEP)
    assert rises([pts for _, pts in mixed.frames()])


def test_what_comes_in_bursts_is_spread_out_and_a_late_one_sets_the_pace_anew() -> None:
    def bursts() -> Iterator[Frame]:
        for index in range(20):
            if index == 10:
                sleep(0.8)
            yield arrived(40 * index if index < 15 else 10**8 + 40 * index, 0.0)

    captured_s = [frame.captured_s for frame in spread_out(bursts())]
    for first, last in ((0, 9), (10, 14), (15, 19)):  # each in its time, also after the pause and the leap
        # A busy machine may let the first go late, and the last in time; a burst is let go at once.
        assert captured_s[last] - captured_s[first] > 0.6 * 0.04 * (last - first)
    assert captured_s[15] - captured_s[14] < 5.0  # a leap in time is not waited for
