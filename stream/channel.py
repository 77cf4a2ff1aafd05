"""A bounded channel between two threads that measures how long each side waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Condition
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class ChannelClosed(Exception):  # noqa: N818 - an end, not an error
    """The other side is gone. Ends a stage; never reaches the user."""


@dataclass(slots=True)
class ChannelStats:
    """full_wait_s: the writer waited for room; empty_wait_s: the reader waited for an item."""

    full_wait_s: float = 0.0
    empty_wait_s: float = 0.0
    dropped: int = 0


class Channel(Generic[T]):
    """First in, first out. A full one makes the writer wait or, with `newest_wins`, drops the oldest item."""

    def __init__(self, name: str, capacity: int = 2, newest_wins: bool = False) -> None:
        self.name = name
        self.stats = ChannelStats()
        self._capacity = capacity
        self._newest_wins = newest_wins
        self._items: deque[T] = deque()
        self._changed = Condition()
        self._closed = False

    def put(self, item: T, timeout_s: float | None = None) -> None:
        """Hand over an item. Raises ChannelClosed when nobody will read it.

        Raises TimeoutError when there is no room within timeout_s; the item is dropped, and counted.
        """
        with self._changed:
            if self._newest_wins and len(self._items) >= self._capacity:
                self._items.popleft()
                self.stats.dropped += 1
            started_s = monotonic()
            ready = self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity, timeout_s)
            self.stats.full_wait_s += monotonic() - started_s
            if self._closed:
                raise ChannelClosed(self.name)
            if not ready:
                self.stats.dropped += 1
                raise TimeoutError(self.name)
            self._items.append(item)
            self._changed.notify_all()

    def has_room(self, timeout_s: float) -> bool:
        """Whether `put` would not wait: there is room within timeout_s, or nobody will read any more."""
        with self._changed:
            started_s = monotonic()
            ready = self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity, timeout_s)
            self.stats.full_wait_s += monotonic() - started_s
            return ready

    def get(self, timeout_s: float | None = None) -> T:
        """The oldest item. Raises ChannelClosed when the writer has closed and all items are read.

        Raises TimeoutError when none comes within timeout_s.
        """
        with self._changed:
            started_s = monotonic()
            ready = self._changed.wait_for(lambda: self._closed or bool(self._items), timeout_s)
            self.stats.empty_wait_s += monotonic() - started_s
            if not ready:
                raise TimeoutError(self.name)
            if not self._items:
                raise ChannelClosed(self.name)
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def check(self) -> None:
        """For a writer that has nothing to hand over now. Raises ChannelClosed when nobody will read it."""
        if self._closed:
            raise ChannelClosed(self.name)

    def close(self, discard: bool = False) -> None:
        """No more items will come; with `discard`, those inside are thrown away too."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            try:
                yield self.get()
            except ChannelClosed:
                return
