"""Measure what the card takes for a frame, row by row, against what was asked.

    make gpu
    python -m pullfocus.benchmarks.gpu [--json FILE] [--only NAME] [--limit SECONDS]

Needs an NVIDIA GPU, PyTorch and CuPy; nothing of PyAV, OpenVINO or TensorRT. Rows that need more say so and are left
out. The file holds every row from the moment it is finished; where the run is stopped it says `"is_whole": false`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...kernels.errors import PullfocusError
from ..arguments import count
from ..latency.machine_state import surroundings
from .card import Card, NvidiaCard
from .film import film
from .measuring import measure_rows
from .net import compiled_net, recorded_net
from .result import Finished, place_of, write_result
from .rows import Bench, Row, Target, clustering, copy_bandwidth, refocusing
from .table import lines_below, rows_table
from .timing import Lengths
from .whole import host_to_host, on_card_hd, on_card_uhd

DESCRIPTION = "Measure what the card takes for a frame, row by row, against what was asked."
LIMIT_S = 420.0
FAILED, STOPPED = 2, 130

ROWS = (
    Row("copy within device memory", None, copy_bandwidth),
    Row("depth + layers + refocus, on the card, 1080p", Target(1.5, 2.0), on_card_hd),
    Row("depth + layers + refocus, on the card, 4K", Target(4.0, 5.0), on_card_uhd),
    Row("K-Means update + labels, 1080p", Target(0.1), clustering),
    Row("layered refocus, 1080p", Target(0.5), refocusing),
    Row("ResNet-18 256x320, torch", Target(0.5), recorded_net),
    Row("ResNet-18 256x320, TensorRT", Target(0.5), compiled_net),
    Row("upload + compute + download, 1080p, host to host", Target(3.0), host_to_host),
    Row("1080p film through pullfocus video", None, film),
)


def run(bench: Bench, place: Path | None, rows: Sequence[Row], limit_s: float, console: Console) -> int:
    """Measure, write after every row, and tell. place: None = named after the GPU. Raises OutputError."""
    environment = surroundings()
    path = place or place_of(environment["gpu"].rpartition(" (")[0] or environment["gpu"])
    done: list[Finished] = []

    def on_row(finished: list[Finished], bandwidth: float | None) -> None:
        done[:] = finished
        write_result(path, environment, bandwidth, finished, len(finished) == len(rows))
        last = finished[-1]
        said = "not run" if last.measured is None else f"{last.percentiles_ms[0]:.3f} ms"
        print(f"{last.name}: {said}", file=sys.stderr, flush=True)

    try:
        measure_rows(bench, rows, limit_s, on_row)
        code = 0
    except KeyboardInterrupt:
        code = STOPPED
    if done:
        console.print(rows_table(done))
        for line in lines_below(done):
            print(line)
        print(f"{len(done)} of {len(rows)} rows are in {path}")
    return code


def main(arguments: Sequence[str] | None = None, card: Card | None = None) -> int:
    """Exit code: 0 whether or not the targets were met; 2 where nothing can be measured."""
    parser = argparse.ArgumentParser(prog="python -m pullfocus.benchmarks.gpu", description=DESCRIPTION)
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: benchmarks/results/<gpu>.json")
    parser.add_argument("--only", action="append", metavar="NAME", help="rows whose name holds this; may be repeated")
    parser.add_argument("--frames", type=count, default=300, help="measured in each row (default 300)")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="SECONDS", help="no row is begun after these")
    given = parser.parse_args(arguments)
    if given.frames < 1:
        parser.error(f"--frames: got {given.frames}, expected 1 or more")
    rows = [row for row in ROWS if row is ROWS[0] or not given.only or any(part in row.name for part in given.only)]
    try:
        bench = Bench(card or NvidiaCard(), Lengths(given.frames))
        return run(bench, given.json, rows, given.limit, Console(width=None if sys.stdout.isatty() else 160))
    except PullfocusError as error:
        print(f"pullfocus: {error}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
