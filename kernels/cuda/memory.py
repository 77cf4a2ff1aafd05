"""Memory that is used again and again, so that no frame waits for an allocation.

Who has taken some gives it back by letting go of it; nobody has to say so. What the card still does with it then is
waited for before it is used again. One thread takes from a pool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from weakref import ref

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .card import Mark
from .launch import DeviceArray, Shape

Size: TypeAlias = tuple[Shape, np.dtype[Any]]
MOST_WAITED_FOR = 3  # pieces of one size whose copies may be under way before the next waits for the oldest


@dataclass(slots=True, eq=False)
class _Piece:
    """memory: as it was made. taken: by whom, as long as it lives. until: what the card does with it last."""

    memory: Any
    taken: Callable[[], object | None]
    until: Mark | None = None

    @property
    def is_free(self) -> bool:
        return self.taken() is None

    @property
    def is_idle(self) -> bool:
        return self.until is None or self.until.done


@dataclass(slots=True, eq=False)
class _Pieces:
    """Of one size at a time: what is of another is let go when its user has."""

    make: Callable[[Shape, np.dtype[Any]], Any]
    all: dict[Size, list[_Piece]] = field(default_factory=dict[Size, list[_Piece]])

    def of(self, size: Size) -> list[_Piece]:
        for other in [each for each in self.all if each != size]:
            self._let_go(other)
        return self.all.setdefault(size, [])

    def _let_go(self, size: Size) -> None:
        kept = list[_Piece]()
        for piece in self.all[size]:
            if not piece.is_free:
                kept.append(piece)
            elif piece.until is not None:
                piece.until.wait()
        if kept:
            self.all[size] = kept
        else:
            del self.all[size]

    def more(self, size: Size) -> _Piece:
        piece = _Piece(self.make(*size), lambda: None)
        self.all[size].append(piece)
        return piece


class PinnedPool:
    """Page-locked arrays of main memory."""

    def __init__(self, pinned: Callable[[int], Any]) -> None:
        """pinned: as of `Card`."""
        self._pieces = _Pieces(lambda shape, dtype: pinned(max(1, int(np.prod(shape)) * dtype.itemsize)))

    def take(self, shape: Shape, dtype: DTypeLike) -> NDArray[Any]:
        """With anything in it. It is yours as long as it, or a view of it, is referred to."""
        size = tuple(shape), np.dtype(dtype)
        pieces = self._pieces.of(size)
        free = [piece for piece in pieces if piece.is_free]
        piece = next((piece for piece in free if piece.is_idle), None)
        if piece is None:
            piece = free[0] if len(free) >= MOST_WAITED_FOR else self._pieces.more(size)
        if piece.until is not None and not piece.is_idle:
            piece.until.wait()
        pieces.append(pieces.pop(pieces.index(piece)))  # the oldest first
        flat: Any = np.frombuffer(piece.memory, size[1], int(np.prod(shape)))
        piece.taken, piece.until = ref(flat), None
        return flat.reshape(shape)  # every view of it holds `flat`

    def busy(self, array: NDArray[Any], until: Mark) -> None:
        """The card reads or writes a taken array up to there."""
        pieces = (piece for some in self._pieces.all.values() for piece in some)
        next(piece for piece in pieces if piece.taken() is array.base).until = until


class Lease:
    """An array of the card's memory, as long as this is referred to."""

    __slots__ = ("__weakref__", "_piece", "array")

    def __init__(self, array: DeviceArray, piece: _Piece) -> None:
        self.array, self._piece = array, piece

    def busy(self, until: Mark) -> None:
        """The card reads it up to there; a mark of a lane takes the place of an earlier one."""
        self._piece.until = until


class DevicePool:
    """Arrays of the card's memory that one lane writes and another reads."""

    def __init__(self, empty: Callable[[Shape, np.dtype[Any]], DeviceArray]) -> None:
        """empty: as of `Launcher`."""
        self._pieces = _Pieces(empty)

    def take(self, shape: Shape, dtype: DTypeLike, wait: Callable[[Mark], None]) -> Lease:
        """With anything in it. wait: makes the lane that writes it wait for those that still read what it was."""
        size = tuple(shape), np.dtype(dtype)
        pieces = self._pieces.of(size)
        piece = next((piece for piece in pieces if piece.is_free), None) or self._pieces.more(size)
        if piece.until is not None:
            wait(piece.until)
        pieces.append(pieces.pop(pieces.index(piece)))
        lease = Lease(piece.memory, piece)
        piece.taken, piece.until = ref(lease), None
        return lease
