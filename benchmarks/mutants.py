"""Damaged copies of files: flipped bits, cuts, holes, and the boxes of an MP4 in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

BOX_HEADER = 8  # bytes: size and four letters (ISO/IEC 14496-12)
CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf"}
HEAD_BYTES = 4096  # what decides how the rest is read


def mutant(data: bytes, rng: Generator) -> bytes:
    """`data`, damaged in one of the ways below."""
    ways: list[Callable[[bytes, Generator], bytes]] = [_flipped, _flipped_head, _cut, _holed, _overwritten, _swapped]
    return ways[int(rng.integers(len(ways)))](data, rng)


def _flipped(data: bytes, rng: Generator, up_to: int | None = None) -> bytes:
    out = np.frombuffer(data, np.uint8).copy()
    count = int(2 ** rng.integers(0, 8))
    places = rng.integers(0, min(len(out), up_to or len(out)), size=count)
    out[places] ^= np.left_shift(1, rng.integers(0, 8, size=count)).astype(np.uint8)
    return out.tobytes()


def _flipped_head(data: bytes, rng: Generator) -> bytes:
    return _flipped(data, rng, HEAD_BYTES)


def _cut(data: bytes, rng: Generator) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _holed(data: bytes, rng: Generator) -> bytes:
    start, stop = sorted(rng.integers(0, len(data), size=2).tolist())
    return data[:start] + data[stop:]


def _overwritten(data: bytes, rng: Generator) -> bytes:
    start = int(rng.integers(0, len(data)))
    length = min(int(2 ** rng.integers(1, 14)), len(data) - start)
    return data[:start] + rng.bytes(length) + data[start + length :]


def _swapped(data: bytes, rng: Generator) -> bytes:
    """Two neighbouring boxes change places; in a file without boxes any two neighbouring pieces."""
    groups = [group for group in _siblings(data, 0, len(data)) if len(group) > 1]
    if groups:
        group = groups[int(rng.integers(len(groups)))]
        first = int(rng.integers(len(group) - 1))
        start, middle, stop = group[first][0], group[first + 1][0], group[first + 1][1]
    else:
        start, middle, stop = sorted(rng.integers(0, len(data), size=3).tolist())
    return data[:start] + data[middle:stop] + data[start:middle] + data[stop:]


def _siblings(data: bytes, start: int, stop: int) -> Iterator[list[tuple[int, int]]]:
    """The boxes of every box that holds boxes: where each begins and ends."""
    group: list[tuple[int, int]] = []
    inner: list[tuple[int, int]] = []
    while start + BOX_HEADER <= stop:
        size, kind = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        if size < BOX_HEADER or start + size > stop or not kind.isalnum():
            break
        group.append((start, start + size))
        if kind in CONTAINERS:
            inner.append((start + BOX_HEADER, start + size))
        start += size
    yield group
    for span in inner:
        yield from _siblings(data, *span)
