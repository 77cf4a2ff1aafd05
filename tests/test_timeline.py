"""Timestamps rise, whatever the input says."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from pullfocus.stream.timeline import Timeline

MS = Fraction(1, 1000)


def follow(*stamps: int, duration: int = 40) -> list[int]:
    timeline = Timeline(MS)
    return [timeline.follow(pts, duration) for pts in stamps]


def test_rising_stamps_stay_as_they_are() -> None:
    assert follow(7, 47, 80, 5000, 60_000) == [7, 47, 80, 5000, 60_000]


def test_a_damaged_stamp_moves_as_little_as_it_can() -> None:
    assert follow(0, 40, 80, 80, 120, 60, 160) == [0, 40, 80, 81, 120, 121, 160]


def test_what_follows_a_long_step_back_keeps_its_pace() -> None:
    assert follow(9000, 9040, 9080, 0, 40, 80) == [9000, 9040, 9080, 9120, 9160, 9200]
    # Without durations the last distance stands in.
    assert follow(9000, 9033, 0, 33, duration=0) == [9000, 9033, 9066, 9099]


def test_a_single_stamp_gone_wrong_does_not_shift_the_rest() -> None:
    assert follow(9000, 9040, 0, 9120, 9160) == [9000, 9040, 9080, 9120, 9160]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=2), st.integers(0, 100))
def test_stamps_always_rise(stamps: list[int], duration: int) -> None:
    followed = follow(*stamps, duration=duration)
    assert all(b > a for a, b in pairwise(followed))
