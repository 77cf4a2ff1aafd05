"""What the commands of `pullfocus bench` do, and what they say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ...engines.api import to_stderr
from ...kernels.errors import InputError
from .comparing import Comparison, compare_results
from .machine_state import PARTS, surroundings
from .measure import BrokenOffError, measure_all, warnings_of
from .request import RowRequest
from .result import Result
from .row import Row
from .table import rows_table, stage_medians_table, stages_table, summary

FEW_RUNS = 5  # below which what differs from run to run is not known


@dataclass(frozen=True, slots=True)
class BenchJob:
    """Rows to measure, and what to do with them: all names are checked by the caller."""

    requests: list[RowRequest]
    repeat: int = 1
    json: Path | None = None
    report: Path | None = None
    gate: Path | None = None
    tolerance: float = 0.05
    overwrite: bool = False

    def run(self, console: Console) -> bool:
        """Measure, tell and write; True where the gate found a regression.

        What was measured before an error or Ctrl-C is told and written as well. Raises PullfocusError.
        """
        baseline = None if self.gate is None else Result.read(self.gate)
        try:
            rows = measure_all(self.requests, self.repeat)
        except BrokenOffError as stop:
            to_stderr(f"{len(stop.rows)} of {len(self.requests)} rows were measured before it ended")
            self._deliver(stop.rows, console)
            raise stop.why from None
        result = self._deliver(rows, console)
        if baseline is None:
            return False
        return tell_comparison(baseline, result, self.tolerance, console, gate=True)

    def _deliver(self, rows: Sequence[Row], console: Console) -> Result:
        result = Result(list(rows), surroundings())
        _tell(result, console)
        if self.json is not None:
            result.write(self.json)
        if self.report is not None:
            from .report import write_report

            for note in write_report(result, self.report, self.overwrite):
                to_stderr(note)
            print(f"wrote {self.report / 'index.html'}")
        return result


def _tell(result: Result, console: Console) -> None:
    for note in dict.fromkeys(note for row in result.rows for note in row.notes):
        to_stderr(note)
    for warning in warnings_of(result):
        print(f"warning: {warning}", file=sys.stderr)
    first, *others = result.rows
    print(f"measured: {summary(first)}" if not others else f"measured: {len(result.rows)} rows")
    console.print(rows_table(result.rows))
    console.print(stage_medians_table(result.rows) if others else stages_table(first))


def tell_comparison(before: Result, after: Result, tolerance: float, console: Console, gate: bool) -> bool:
    """Print it; True where something became slower, which `gate` names in one line on stderr.

    Raises InputError where no row is in both.
    """
    comparison = compare_results(before, after, tolerance)
    for part in PARTS:
        old, new = before.environment.get(part), after.environment.get(part)
        if None not in (old, new) and old != new:  # files of before lack some
            print(f"warning: measured on different machines: {part} {old}, then {new}", file=sys.stderr)
    for caution in _cautions(before, after):
        print(f"warning: {caution}", file=sys.stderr)
    for where, names in (("A", comparison.only_before), ("B", comparison.only_after)):
        for name in names:
            to_stderr(f"only in {where}: {name}")
    if not comparison.rows:
        raise InputError("the two results have no row in common; measure both with the same options")
    console.print(_comparison_table(comparison))
    regressions = [row.regression for row in comparison.rows if row.regression]
    if gate and regressions:
        more = f" (and {len(regressions) - 1} more rows)" if len(regressions) > 1 else ""
        print(f"pullfocus: slower than the baseline: {regressions[0]}{more}", file=sys.stderr)
    return bool(regressions)


def _cautions(before: Result, after: Result) -> list[str]:
    """What may have made a difference besides the program."""
    lines = list[str]()
    busy = [name for name, result in (("A", before), ("B", after)) if any(r.conditions.was_busy for r in result.rows)]
    if busy:
        lines.append(f"other programs took cores' time in {' and '.join(busy)}; a difference may be theirs")
    if any(len(row.runs) < FEW_RUNS for row in (*before.rows, *after.rows)):
        lines.append(f"intervals hold no noise between runs; measure with --repeat {FEW_RUNS} or more")
    return lines


def _comparison_table(comparison: Comparison) -> Table:
    table = Table(
        "row",
        title="latency and CPU time a frame, B / A (95 % interval)",
        title_justify="left",
        title_style="bold",
        box=None,
    )
    for name in ("median", "p95", "CPU", "verdict"):
        table.add_column(name, no_wrap=name != "verdict")
    for row in comparison.rows:
        table.add_row(row.name, row.median.words, row.p95.words, row.cpu.words, row.verdict)
    return table
