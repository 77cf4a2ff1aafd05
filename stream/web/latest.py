"""A place for the newest of something; whoever reads too slowly misses what was in between."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Used within one event loop; any number of readers, none of which holds up another or the writer."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._number = 0
        self._arrived = asyncio.Event()

    def put(self, value: T) -> None:
        """Take the place of what is there, and wake all who wait."""
        self._value = value
        self._number += 1
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()

    def repeat(self) -> None:
        """Put what is there once more, if there is anything, for somebody who has just come."""
        if self._value is not None:
            self.put(self._value)

    async def after(self, number: int) -> tuple[int, T]:
        """The newest with its number, which is higher than `number`; 0 = whatever there is."""
        while self._number <= number:
            await self._arrived.wait()
        assert self._value is not None
        return self._number, self._value
