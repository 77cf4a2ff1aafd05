"""What a CUDA graph is to the shim: calls that are kept, and memory that is given again as soon as it is let go of.

So what is let go of too early shows when the calls are made: it holds the values of another array.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import finalize

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Capture:
    def __init__(self) -> None:
        self._calls = list[Callable[[], object]]()
        self._free = list[NDArray[np.uint8]]()
        self.pieces = 0

    def add(self, call: Callable[[], object]) -> None:
        """call: must not refer to arrays of `empty`, but to an `alias` of each."""
        self._calls.append(call)

    def play(self) -> None:
        for call in self._calls:
            call()

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.generic]:
        kind = np.dtype(dtype)
        size = int(np.prod(shape)) * kind.itemsize
        place = next((place for place, piece in enumerate(self._free) if piece.size >= size), None)
        if place is None:
            piece = np.full(size, 255, np.uint8)
            self.pieces += 1
        else:
            piece = self._free.pop(place)
        out = piece[:size].view(kind).reshape(shape)
        finalize(out, self._free.append, piece)
        return out


def alias(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same memory; `array` itself may be let go of."""
    return array[...]
