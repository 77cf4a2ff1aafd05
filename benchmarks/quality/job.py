"""What `pullfocus bench quality` does, and what it says."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ...engines.api import to_stderr
from ...engines.checkpoint import locate
from ...engines.environment import environment
from ...training.data import open_labelled
from .gate import Comparison, check_alike, compare, said
from .measures import MEASURES
from .request import Request
from .result import Key, Result, known
from .suites import RUNNERS


@dataclass(frozen=True, slots=True)
class QualityJob:
    """Suites to run, and what to do with their figures: the caller has checked the names of files."""

    request: Request
    json: Path | None = None
    gate: Path | None = None

    def run(self, console: Console) -> bool:
        """Measure, tell and write; True where the gate found a figure that became worse. Raises PullfocusError."""
        baseline = None if self.gate is None else Result.read(self.gate)
        if baseline is not None and self.gate is not None:
            check_alike(baseline, self.request.settings, self.gate)
        result = measure(self.request)
        if self.json is not None:
            result.write(self.json)
        comparison = None if baseline is None else compare(baseline, result, self.request.wanted)
        console.print(table(result, comparison))
        if baseline is None or comparison is None:
            return False
        if baseline.weights != result.weights:
            to_stderr("the baseline was taken with other weights of the net")
        return tell(comparison)


def measure(request: Request) -> Result:
    """All wanted suites. Raises DataError, CheckpointError."""
    for line in request.left_out.values():
        to_stderr(line)
    for real in filter(None, map(request.real_set, request.wanted)):
        open_labelled([real], "test")  # what is missing there is said before minutes are spent
    figures = {str(suite): known(RUNNERS[suite](request)) for suite in request.wanted}
    weights = sha256(locate(request.settings.model).read_bytes()).hexdigest()
    return Result(
        request.settings,
        figures,
        weights,
        environment("openvino", "opencv-python"),
        tuple(request.left_out.values()),
    )


def tell(comparison: Comparison) -> bool:
    """Name what cannot be compared, and in a line each what became worse; True where something did."""
    for where, names in (("the baseline", comparison.only_before), ("this run", comparison.only_after)):
        for name in names:
            to_stderr(f"only in {where}: {name}")
    for each in comparison.worse:
        print(f"pullfocus: worse than the baseline: {each.words}", file=sys.stderr)
    if not comparison.worse:
        print(f"the gate holds: none of {len(comparison.both)} figures is worse by more than its tolerance")
    return bool(comparison.worse)


def table(result: Result, comparison: Comparison | None) -> Table:
    """A line for each figure; with a baseline what it was there, and the change."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("suite", "of", "figure", "better"):
        shown.add_column(name)
    for name in ("value", *(("baseline", "change", "tolerance") if comparison else ())):
        shown.add_column(name, justify="right", no_wrap=True)
    before = "", ""
    for key, value in result.by_key().items():
        suite, subject, name = key
        places = ("" if suite == before[0] else suite, "" if (suite, subject) == before else subject)
        better = "↑" if MEASURES[name].higher_is_better else "↓"
        changes = _changes(key, comparison) if comparison else ()
        shown.add_row(*places, MEASURES[name].label, better, said(MEASURES[name], value), *changes)
        before = suite, subject
    return shown


def _changes(key: Key, comparison: Comparison) -> tuple[str, str, str]:
    """Cells of a figure: the baseline's, the change (red where it is worse), and the tolerance."""
    each = next((each for each in comparison.both if each.key == key), None)
    if each is None:
        return ("–", "–", "–")
    measure, change = each.measure, "–"
    if each.before is not None and each.after is not None:
        change = f"{each.after - each.before:+.{measure.digits}f}"
    return said(measure, each.before), f"[red]{change}[/red]" if each.is_worse else change, f"{measure.tolerance:g}"
