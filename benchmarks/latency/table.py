"""Results as tables on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from .request import differing, said
from .row import Row
from .statistics import Spread, jitter_ms

PIPE_WIDTH = 140  # characters


def wide_console() -> Console:
    """A terminal is as wide as it is; in a file or a pipe no cell is broken for that."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def summary(row: Row) -> str:
    """One line."""
    return (
        f"{row.frames} frames, {row.fps:.1f} fps, {row.cpu_ms_per_frame:.0f} ms CPU a frame, "
        f"depth: {row.engine}, slowest stage: {row.bottleneck}"
    )


def rows_table(rows: Sequence[Row]) -> Table:
    """A line for each row: end-to-end latency, rate, and what it took."""
    keys, gpu = differing([row.settings for row in rows]), any(row.gpu for row in rows)
    names = ["fps", "p50", "p90", "p95", "p99", "max", "jitter", "CPU", *(["GPU"] if gpu else []), "MB", "steady"]
    table = _table("latency, ms", keys, names)
    for row in rows:
        on_gpu = [f"{row.gpu.p50_ms:.2f}" if row.gpu else "-"] if gpu else []
        figures = [*_cells(row.latency), f"{jitter_ms(row.interval_us):.1f}", f"{row.cpu_ms_per_frame:.1f}", *on_gpu]
        table.add_row(
            *_said(row, keys), f"{row.fps:.1f}", *figures, f"{row.peak_memory_mb:.0f}", row.steadiness.words
        )  # fmt: skip
    return table


def stages_table(row: Row) -> Table:
    """Wall time of each stage."""
    table = _table("stages, ms", ["stage"], ["p50", "p90", "p95", "p99", "max"])
    for name, spread in row.stages.items():
        table.add_row(name, *_cells(spread))
    return table


def stage_medians_table(rows: Sequence[Row]) -> Table:
    """The median of each stage, a line for each row."""
    keys, stages = differing([row.settings for row in rows]), list(rows[0].stages_us)
    table = _table("medians of stages, ms", keys, stages)
    for row in rows:
        table.add_row(*_said(row, keys), *(f"{row.stages[stage].p50_ms:.2f}" for stage in stages))
    return table


def _said(row: Row, keys: Sequence[str]) -> list[str]:
    return [said(key, row.settings.get(key)) for key in keys]


def _cells(spread: Spread) -> list[str]:
    figures = (spread.p50_ms, spread.p90_ms, spread.p95_ms, spread.p99_ms, spread.max_ms)
    return [f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}" for value in figures]


def _table(title: str, settings: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in settings:
        table.add_column(name.replace("_", " "), overflow="fold")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table
