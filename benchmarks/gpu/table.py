"""The figures as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from .result import Finished
from .rows import Target

MET = {True: "met", False: "NOT MET", None: ""}


def rows_table(rows: Sequence[Finished]) -> Table:
    table = Table("row", box=None)
    for name in ("size", "p50 ms", "p95 ms", "target", "", "floor ms", "launches", "MB", "engine"):
        table.add_column(
            name, justify="right" if name in ("p50 ms", "p95 ms", "floor ms", "MB", "launches") else "left"
        )
    for row in rows:
        table.add_row(*cells(row))
    return table


def cells(row: Finished) -> list[str]:
    found = row.measured
    if found is None:
        return [row.name, "", "", "", asked(row.target), "not run"]
    p50_ms, p95_ms = row.percentiles_ms
    launches = sum(use.launches for use in found.kernels)
    return [
        row.name,
        found.size,
        f"{p50_ms:.3f}",
        f"{p95_ms:.3f}",
        asked(row.target),
        MET[row.met],
        "" if row.floor_ms is None else f"{row.floor_ms:.4f}",
        f"{launches:.1f}" if launches else "",
        "" if found.peak_bytes is None else f"{found.peak_bytes / 2**20:.0f}",
        found.engine,
    ]


def asked(target: Target | None) -> str:
    """As in "≤ 1.5 / 2"."""
    if target is None:
        return ""
    parts = [f"{most:g}" for most in (target.p50_ms, target.p95_ms) if most is not None]
    return f"≤ {' / '.join(parts)}"


def lines_below(rows: Sequence[Finished]) -> list[str]:
    """What does not fit into a row: other ways in the same run, notes, and why a row was not run."""
    lines = list[str]()
    for row in rows:
        if row.measured is None:
            lines.append(f"{row.name}: not run: {row.cannot}")
            continue
        p50_ms = row.percentiles_ms[0]
        lines += [f"{row.name}: {name} {ms:.3f} ms, {ms / p50_ms:.2f} ×" for name, ms in row.measured.beside.items()]
        lines += [f"{row.name}: {note}" for note in row.measured.notes]
    return lines
