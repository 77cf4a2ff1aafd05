"""What `pullfocus dataset` does: check sets and say what is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .data import Sample, open_set, split_validation
from .data.kaggle_summary import summary


def run_summary(data: Sequence[Path], thorough: bool) -> None:
    """Print pictures by source, and the Kaggle layout's table by scene. Raises DataError listing every fault."""
    console = Console()
    samples: list[Sample] = []
    for path in data:
        found = open_set(path, thorough=thorough)
        samples += found
        console.print(by_source(found, path.name))
        if path.name.startswith("nyu2_"):
            console.print(summary(path).to_string())
    training, validation = split_validation(samples)
    console.print(f"training would take {len(training)} and hold {len(validation)} back for validation")


def by_source(samples: Sequence[Sample], title: str) -> Table:
    """Pictures and sequences of each source."""
    table = Table("source", "depth", "pictures", "sequences", title=title, box=None, title_justify="left")
    for (source, kind), count in Counter((s.source, s.kind) for s in samples).most_common():
        sequences = len({s.sequence for s in samples if s.source == source})
        table.add_row(source, kind, str(count), str(sequences))
    return table
