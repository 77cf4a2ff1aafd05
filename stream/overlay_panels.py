"""The live window's two panels: the keys, and how the run does stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np

from ..kernels.api import Picture
from .keys import KEYS, Key
from .lettering import DARK, DIM, WHITE, Colour, Mask, lay, line_height, plate, plate_mask, text_width, write
from .overlay import text_px
from .report import Moment

WAITING = "source"  # its time is mostly the wait for the camera: listed, but no part of the bar
COLOURS: tuple[Colour, ...] = ((214, 160, 92), (178, 199, 99), (84, 184, 242), (122, 122, 224), (200, 130, 180))
_SMALLEST_HELP_PX = 8


def draw_statistics(picture: Picture, moment: Moment) -> None:
    """At the top right: rates, a bar of the stages' times one after the other, and each of them in numbers.

    The stages work at the same time, so the bar shows who has most to do, not how long a frame takes.
    """
    size = text_px(picture)
    pad, line = size // 2, round(line_height(size) * 1.25)
    facts = (("fps", f"{moment.fps:.1f}"), ("latency", f"{moment.latency_ms:.0f} ms"), ("dropped", f"{moment.dropped}"))
    width = min(picture.shape[1] - 2 * pad, 16 * size)
    height = (len(facts) + len(moment.stages_ms)) * line + 2 * size + 2 * pad
    left, top = picture.shape[1] - width - pad, pad
    plate(picture, left, top, width, height, 0.68)
    x, right, y = left + size, left + width - size, top + pad
    for name, value in facts:
        _row(picture, name, value, (x, right), y, size)
        y += line
    busy_ms = {name: ms for name, ms in moment.stages_ms.items() if name != WAITING}
    colours = dict(zip(busy_ms, cycle(COLOURS)))
    _bar(picture, [(ms, colours[name]) for name, ms in busy_ms.items()], (x, right), y + size // 2, round(size * 0.7))
    y += 2 * size
    for name, ms in moment.stages_ms.items():
        side = round(size * 0.55)
        if name in colours:
            lay(picture, plate_mask(side, side, 2), x, y + (line_height(size) - side) // 2, colours[name])
        _row(picture, name if name != WAITING else "source, waits", f"{ms:.1f} ms", (x + size, right), y, size)
        y += line


def _row(picture: Picture, name: str, value: str, ends: tuple[int, int], y: int, size: int) -> None:
    write(picture, name, ends[0], y, size, DIM)
    write(picture, value, ends[1] - text_width(value, size), y, size)


def _bar(picture: Picture, parts: Sequence[tuple[float, Colour]], ends: tuple[int, int], y: int, height: int) -> None:
    """Parts side by side, as wide as their share of the whole, with round ends."""
    whole, width = sum(share for share, _ in parts), ends[1] - ends[0]
    if whole <= 0.0 or width <= 0:
        return
    mask, begun = plate_mask(width, height, height // 2), 0.0
    for share, colour in parts:
        first, begun = round(begun / whole * width), begun + share
        part: Mask = np.ascontiguousarray(mask[:, first : round(begun / whole * width)])
        if part.size:
            lay(picture, part, ends[0] + first, y, colour)


def draw_help(picture: Picture) -> None:
    """All keys, in two columns in the middle; smaller where they would not fit."""
    rows = -(-len(KEYS) // 2)
    size = text_px(picture)
    while size > _SMALLEST_HELP_PX and not _fits(picture, size, rows):
        size -= 1
    line = _help_line(size)
    widths = [_column_width(column, size) for column in _columns(rows)]
    width, height = sum(widths) + 5 * size, rows * line + 2 * size
    left, top = (picture.shape[1] - width) // 2, max(0, (picture.shape[0] - height) // 2)
    plate(picture, left, top, width, height, 0.8)
    x = left + 3 * size // 2
    for column, column_width in zip(_columns(rows), widths):
        for index, key in enumerate(column):
            _help_row(picture, key, x, top + size + index * line, size, _caps_width(column, size))
        x += column_width + 2 * size


def _columns(rows: int) -> tuple[Sequence[Key], Sequence[Key]]:
    return KEYS[:rows], KEYS[rows:]


def _help_line(size: int) -> int:
    return round(line_height(size) * 1.5)


def _fits(picture: Picture, size: int, rows: int) -> bool:
    width = sum(_column_width(column, size) for column in _columns(rows)) + 5 * size
    return width <= picture.shape[1] and rows * _help_line(size) + 2 * size <= picture.shape[0]


def _column_width(column: Sequence[Key], size: int) -> int:
    return _caps_width(column, size) + size + max(text_width(key.text, size) for key in column)


def _caps_width(column: Sequence[Key], size: int) -> int:
    """Room for the widest row of key caps."""
    return max(sum(text_width(cap, size) + size for cap in key.caps) for key in column)


def _help_row(picture: Picture, key: Key, x: int, y: int, size: int, caps_width: int) -> None:
    """Light key caps with dark letters, and what they do."""
    text_x, height = x + caps_width + size, line_height(size) + size // 4
    for cap in key.caps:
        cap_width = text_width(cap, size) + 3 * size // 4
        lay(picture, plate_mask(cap_width, height, size // 4), x, y - size // 8, DIM)
        write(picture, cap, x + 3 * size // 8, y, size, DARK)
        x += cap_width + size // 4
    write(picture, key.text, text_x, y, size, WHITE)
