"""A step's time on the card, frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ...kernels.errors import EngineError
from .card import Card, KernelUse, Step

LOOKED_AT = 10  # frames whose launches are counted


@dataclass(frozen=True, slots=True)
class Lengths:
    """frames: how many are measured, after `warm_up` others: kernels are compiled and chosen in those."""

    frames: int = 300
    warm_up: int = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Measured:
    """What was seen of one row.

    series_ms: from event to event around each frame. size: of what is worked on, `WxH`. engine: what ran the net, if
    any. wall_ms: a frame's share of the whole run by the host's clock. bytes_moved: the fewest that the step can read
    and write, None where that says nothing. peak_bytes: of device memory, without the rotated inputs. beside: median
    milliseconds of other ways, by name, in the same run.
    """

    series_ms: NDArray[np.float64]
    size: str
    engine: str = ""
    wall_ms: float = 0.0
    bytes_moved: int | None = None
    peak_bytes: int | None = None
    kernels: list[KernelUse] = field(default_factory=list[KernelUse])
    beside: dict[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()


def timed(card: Card, step: Step, lengths: Lengths) -> tuple[NDArray[np.float64], float]:
    """The milliseconds of every frame by the card's events, and of one by the host's clock.

    Nothing waits between frames, as in a film: where the host is slower than the card, its gaps are in the figures.
    """
    for index in range(lengths.warm_up):
        step(index)
    card.wait()
    moments = [(card.event(), card.event()) for _ in range(lengths.frames)]
    started_s = perf_counter()
    for index, (before, after) in enumerate(moments, lengths.warm_up):
        before.record()
        step(index)
        after.record()
    card.wait()
    wall_ms = (perf_counter() - started_s) * 1e3 / lengths.frames
    return np.array([before.elapsed_time(after) for before, after in moments]), wall_ms


def measured(
    card: Card, make: Callable[[], Step], lengths: Lengths, *, size_hw: tuple[int, int], engine: str = "",
    bytes_moved: int | None = None, notes: tuple[str, ...] = (),
) -> Measured:  # fmt: skip
    """The row of what `make` makes, which has its inputs already: its memory, time and launches.

    Raises whatever the step raises.
    """
    card.forget_peak()
    inputs = card.peak_bytes()
    step = make()
    series_ms, wall_ms = timed(card, step, lengths)
    peak = card.peak_bytes() - inputs
    try:
        kernels = card.kernels(step, min(LOOKED_AT, lengths.frames))
    except EngineError as error:
        kernels, notes = list[KernelUse](), (*notes, f"launches were not counted: {error}")
    size = f"{size_hw[1]}x{size_hw[0]}"
    return Measured(series_ms, size, engine, wall_ms, bytes_moved, peak, kernels, notes=notes)
