"""Channels between threads, and the crew that owns the threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.kernels.errors import InputError, StuckError
from pullfocus.stream.channel import Channel, ChannelClosed
from pullfocus.stream.crew import Crew


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def pullfocus_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("pullfocus-")]


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_every_item_arrives_in_order(items: list[int], capacity: int) -> None:
    channel = Channel[int]("a→b", capacity)

    def write() -> None:
        for item in items:
            channel.put(item)
        channel.close()

    writer = in_thread(write)
    assert list(channel) == items
    writer.join(2.0)
    assert channel.stats.dropped == 0


def test_full_channel_blocks_the_writer_until_there_is_room() -> None:
    channel = Channel[int]("a→b", capacity=2)
    channel.put(1)
    channel.put(2)
    done = threading.Event()
    in_thread(lambda: (channel.put(3), done.set()))
    assert not done.wait(0.1)
    assert channel.get() == 1
    assert done.wait(2.0)
    assert [channel.get(), channel.get()] == [2, 3]
    assert channel.stats.full_wait_s >= 0.08
    assert channel.stats.empty_wait_s < 0.05


def test_wait_of_the_reader_is_measured() -> None:
    channel = Channel[int]("a→b")
    in_thread(lambda: (sleep(0.1), channel.put(1)))
    assert channel.get() == 1
    assert channel.stats.empty_wait_s >= 0.08
    assert channel.stats.full_wait_s < 0.05


@given(st.integers(1, 4), st.integers(0, 12))
def test_newest_wins_keeps_the_last_and_counts_the_rest(capacity: int, count: int) -> None:
    channel = Channel[int]("a→b", capacity, newest_wins=True)
    for item in range(count):
        channel.put(item)  # never blocks
    channel.close()
    assert list(channel) == list(range(max(0, count - capacity), count))
    assert channel.stats.dropped == max(0, count - capacity)


def test_closed_channel_still_gives_what_is_inside() -> None:
    channel = Channel[int]("a→b")
    channel.put(1)
    channel.close()
    assert channel.get() == 1
    with pytest.raises(ChannelClosed):
        channel.get()
    with pytest.raises(ChannelClosed):
        channel.put(2)


def test_close_with_discard_throws_items_away() -> None:
    channel = Channel[int]("a→b")
    channel.put(1)
    channel.close(discard=True)
    assert list(channel) == []


@pytest.mark.parametrize("side", ["reader", "writer"])
def test_close_wakes_a_waiting_side(side: str) -> None:
    channel = Channel[int]("a→b", capacity=1)
    if side == "writer":
        channel.put(0)
    ended = threading.Event()

    def wait() -> None:
        try:
            channel.put(1) if side == "writer" else channel.get()
        except ChannelClosed:
            ended.set()

    in_thread(wait)
    sleep(0.05)
    channel.close(discard=True)
    assert ended.wait(2.0)


def crew(
    works: dict[str, Callable[[], object]],
    block: Callable[[], object],
    channels: Sequence[Channel[int]] = (),
    deadline_s: float = 2.0,
) -> None:
    with Crew(list(channels), deadline_s) as members:
        for name, work in works.items():
            members.start(name, work)
        block()


@pytest.fixture
def channel() -> Channel[int]:
    return Channel[int]("a→b")


@pytest.fixture
def hang() -> Iterator[Callable[[], object]]:
    release = threading.Event()
    yield release.wait
    release.set()


def raiser(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_crew_raises_the_error_of_a_thread_and_joins_the_others(channel: Channel[int]) -> None:
    error = InputError("broken")
    with pytest.raises(InputError) as caught:
        crew({"waits": lambda: list(channel), "fails": raiser(error)}, lambda: list(channel), [channel])
    assert caught.value is error
    assert not pullfocus_threads()


def test_crew_keeps_the_first_error_when_the_block_fails_later(channel: Channel[int]) -> None:
    first, second = InputError("first"), OSError("because of the first")

    def block() -> None:
        assert list(channel) == []  # ends when the thread's failure closes the channel
        raise second

    with pytest.raises(InputError) as caught:
        crew({"fails": raiser(first)}, block, [channel])
    assert caught.value is first


def test_stuck_thread_is_named(hang: Callable[[], object]) -> None:
    started_s = monotonic()
    with pytest.raises(StuckError, match=r"pullfocus-camera did not stop within 0\.1 s"):
        crew({"camera": hang}, lambda: None, deadline_s=0.1)
    assert monotonic() - started_s < 1.0


@pytest.mark.parametrize("where", ["block", "thread"])
def test_stuck_thread_is_named_when_another_error_is_pending(where: str, hang: Callable[[], object]) -> None:
    pending = InputError("the disk is gone")
    fail = raiser(pending)
    works = {"camera": hang} if where == "block" else {"camera": hang, "fails": fail}
    with pytest.raises(StuckError, match=r"pullfocus-camera.*the disk is gone") as caught:
        crew(works, fail if where == "block" else lambda: None, deadline_s=0.1)
    assert caught.value.__cause__ is pending


def test_interrupt_stays_an_interrupt_and_notes_the_stuck_thread(hang: Callable[[], object]) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        crew({"camera": hang}, raiser(KeyboardInterrupt()), deadline_s=0.1)
    assert "pullfocus-camera did not stop" in caught.value.__notes__[0]


def test_a_writer_waits_no_longer_than_it_was_told_to() -> None:
    channel = Channel[int]("a→b", capacity=1)
    channel.put(1, timeout_s=0.0)
    with pytest.raises(TimeoutError):
        channel.put(2, timeout_s=0.0)
    assert channel.stats.dropped == 1
    assert channel.get() == 1
