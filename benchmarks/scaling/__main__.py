"""How does cost grow with picture size, radius, layers, threads and streams, and how far is it from its floor?

    .venv/bin/python -m pullfocus.benchmarks.scaling --json benchmarks/results/scaling.json \\
        --write-doc docs/performance.md

Six minutes on two quiet cores, ten on slow ones. docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ...engines.api import to_stderr
from ...engines.atomic import check_target
from ...engines.finding import require
from ...kernels.errors import InputError
from ...training.tool import one_line_errors
from ..arguments import between, count
from ..latency.table import wide_console
from .case import Case, Plan
from .document import fill, read
from .findings import derived, findings
from .record import Record
from .rounds import BrokenOffError, measure
from .tables import DEADLINE_H, sheets

SHORT = Plan(
    sizes=((320, 180), (480, 270), (640, 360), (960, 540)), apertures=(2.0, 4.0, 7.0, 14.0), layers=(2, 4, 8, 16),
    loads=(0.4, 0.7, 1.0), base=Case(640, 360), rounds=2, frames=3, warm_up=2, seconds=2.0, copy_mb=64, matrix=768,
)  # fmt: skip


def main() -> None:
    """Measure, or take a file; tell, and write what was asked for."""
    options = _options()
    _check(options)
    why: BaseException | None = None
    if options.take is not None:
        record = Record.read(options.take)
    else:
        try:
            record = measure(_plan(options))
        except BrokenOffError as stop:
            record, why = stop.record, stop.why
            to_stderr(f"ended early; what follows is of the {record.shape['rounds']} complete rounds")
    _deliver(record, options, wide_console())
    if why is not None:
        raise why


def _deliver(record: Record, options: argparse.Namespace, console: Console) -> None:
    for sheet in sheets(record, options.hours):
        console.print(sheet.rich(), "")
    for line in findings(record):
        console.print(f"* {line.replace('**', '')}", soft_wrap=True, highlight=False, markup=False)
    if options.json is not None:
        record.write(options.json, derived(record))
        record = Record.read(options.json)  # as it is rounded there, for the page is compared with it
    if options.plots is not None:
        from .plots import write_plots

        write_plots(record, options.plots)
    if options.write_doc is not None:
        fill(options.write_doc, record)


def _plan(options: argparse.Namespace) -> Plan:
    plan = SHORT if options.short else Plan()
    asked = {"rounds": options.rounds, "frames": options.frames, "seconds": options.seconds}
    return replace(plan, **{name: value for name, value in asked.items() if value is not None})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scaling", description=(__doc__ or "").partition("\n")[0])
    seconds, hours = between("seconds", 0.1, 600.0), between("hours", 0.01, 10_000.0)
    parser.add_argument("--rounds", type=count, help="all cases take turns in so many rounds (default: 5)")
    parser.add_argument("--frames", type=count, help="of each case and round (default: 4)")
    parser.add_argument("--seconds", type=seconds, help="of each window of streams side by side (default: 3.5)")
    parser.add_argument("--short", action="store_true", help="small pictures and two rounds, to see that all works")
    parser.add_argument(
        "--hours",
        type=hours,
        default=DEADLINE_H,
        help="a fleet's deadline in the table that is printed (default: 24)",
    )
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write plots (PNG) here")
    parser.add_argument("--write-doc", type=Path, metavar="FILE", help="write the tables into this document's markers")
    parser.add_argument(
        "--from", type=Path, dest="take", metavar="JSON", help="measure nothing; take what --json wrote"
    )
    return parser.parse_args()


def _check(options: argparse.Namespace) -> None:
    """What would be found out only after minutes. Raises InputError, OutputError and MissingExtraError."""
    if options.take is not None and options.json is not None:
        raise InputError("--from and --json: a file that was read is not written again; leave one away")
    if options.json is not None:
        check_target(options.json, overwrite=True)
    if options.plots is not None or options.write_doc is not None:
        require("matplotlib", "bench", "--plots and --write-doc")
    if options.write_doc is not None:
        read(options.write_doc)


if __name__ == "__main__":
    with one_line_errors():
        main()
