"""Run a job and say how it went: notes and a summary on the terminal, the report as a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..engines.atomic import check_distinct, check_target
from ..engines.interrupts import StoppedError
from .pipeline import Interrupted
from .report import Report


@dataclass(frozen=True, slots=True)
class ReportFile:
    """Where `--json` goes; checked before the run, so that no long run ends without its report."""

    path: Path | None
    overwrite: bool
    other_files: tuple[Path | None, ...] = ()

    def check(self) -> None:
        if self.path is not None:
            check_target(self.path, self.overwrite)
            for other in self.other_files:
                check_distinct((other, self.path))


def run_and_tell(job: Callable[[], Report], what: str | Callable[[Report], str], file: ReportFile) -> Report:
    """Do `job` and say how it went, also when Ctrl-C ends it. what: was done; it may depend on the report."""
    file.check()
    try:
        report = job()
    except KeyboardInterrupt as stop:
        if isinstance(stop, Interrupted):
            _tell(stop.report, "until then", file)
        left = getattr(stop, "__notes__", [])
        if left:  # an error, for what parses the command line makes a bare number of every Ctrl-C
            raise StoppedError(left[-1]) from stop
        raise
    _tell(report, what if isinstance(what, str) else what(report), file)
    return report


def _tell(report: Report, what: str, file: ReportFile) -> None:
    for note in report.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{what}: {report.summary()}")
    if file.path is not None:
        report.write(file.path)
