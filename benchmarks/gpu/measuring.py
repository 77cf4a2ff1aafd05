"""Row after row, until all are measured or time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

import numpy as np

from ...engines.cuda_errors import MAX_LETTERS
from .result import Finished
from .rows import Bench, Measured, Row

Clock = Callable[[], float]


def measure_rows(
    bench: Bench,
    rows: Sequence[Row],
    limit_s: float,
    on_row: Callable[[list[Finished], float | None], None],
    clock: Clock = monotonic,
) -> list[Finished]:
    """All rows: measured, or why not. The first is the copy whose bandwidth gives the others' floor.

    limit_s: no row is begun after so many seconds. on_row: is given what is finished so far, and the bandwidth, after
    every row.
    """
    started_s, done, bandwidth = clock(), list[Finished](), None
    for row in rows:
        if clock() - started_s > limit_s:
            finished = Finished(row.name, row.target, cannot=f"not begun: the {limit_s:g} s of the run were over")
        else:
            finished = measure_row(bench, row, bandwidth)
        if not done and finished.measured is not None:
            bandwidth = bandwidth_of(finished.measured)
        done.append(finished)
        on_row(done, bandwidth)
    return done


def measure_row(bench: Bench, row: Row, bandwidth: float | None) -> Finished:
    """Whatever a library raises is the row's reason: the other rows are to be measured all the same."""
    try:
        found = row.measure(bench)
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return Finished(row.name, row.target, cannot=f"{type(error).__name__}: {lines[0][:MAX_LETTERS]}")
    floor_ms = found.bytes_moved / bandwidth * 1e3 if found.bytes_moved and bandwidth else None
    return Finished(row.name, row.target, found, floor_ms=floor_ms)


def bandwidth_of(copy: Measured) -> float:
    """Bytes a second of the copy's median."""
    assert copy.bytes_moved is not None, "the first row is the copy"
    return copy.bytes_moved / (float(np.median(copy.series_ms)) / 1e3)
