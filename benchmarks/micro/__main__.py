"""Time each kernel and each engine; keep the times as this machine's baseline, or compare them with it.

    python -m pullfocus.benchmarks.micro run
    python -m pullfocus.benchmarks.micro save
    python -m pullfocus.benchmarks.micro compare --tolerance 0.15

With --device cuda: those that run on a GPU. With a file of pytest's --benchmark-json nothing is timed first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from rich.console import Console

from ...engines.finding import version_of
from ...kernels.api import Device
from ...kernels.errors import InputError, MissingExtraError
from ...training.tool import one_line_errors
from .baseline import keep, machine, path_for, read_run
from .comparison import Medians, changes, medians, short_name, slower, table

HERE = Path(__file__).resolve().parent
MARKS: dict[Device, str] = {"cpu": "not gpu", "cuda": "gpu"}
TABLE = ("--benchmark-columns=median,iqr,min,rounds", "--benchmark-sort=name")
TOLERANCE = 0.15
MORE_TRIES = 2  # for what seems slower: another program may have had the cores for a moment


def time_them(device: Device, only: Sequence[str] = (), quiet: bool = False) -> dict[str, Any]:
    """What pytest-benchmark measures. only: full names, none = all. Ends the program with pytest's exit code."""
    if version_of("pytest-benchmark") is None:
        raise MissingExtraError("pytest-benchmark", "dev", "timing kernels and engines")
    root = HERE.parents[1]
    what = [str(root / name) for name in only] or [str(HERE)]
    looks = ("-q", "--no-header", *(("--benchmark-quiet",) if quiet else TABLE))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.json"
        command = [sys.executable, "-P", "-m", "pytest", *what, "-m", MARKS[device], *looks, f"--benchmark-json={out}"]
        code = subprocess.run(command, cwd=root, check=False).returncode  # noqa: S603
        if code:
            sys.exit(code)
        if not out.is_file():
            raise InputError(f"nothing was timed: nothing runs on device {device!r} here, the reasons are above")
        return read_run(out)


def compare(device: Device, run: dict[str, Any] | None, tolerance: float) -> int:
    """The exit code: 1 where something is slower, and stays so when it is timed again."""
    kept = path_for(machine(), device)
    if not kept.is_file():
        raise InputError(f"no baseline of this machine: {kept} is missing; make it with make bench-save")
    baseline = read_run(kept)
    before, now = medians(baseline), medians(run or time_them(device, quiet=True))
    for _ in range(0 if run else MORE_TRIES):
        suspects = [change.name for change in slower(changes(before, now), tolerance)]
        if not suspects:
            break
        print(f"{len(suspects)} may be slower: timed again")
        again = medians(time_them(device, suspects, quiet=True))
        now = {name: min(time_s, again.get(name, time_s)) for name, time_s in now.items()}
    return _tell(before, now, tolerance, f"{kept.name} (commit {baseline['software']['commit']})")


def _tell(before: Medians, now: Medians, tolerance: float, of: str) -> int:
    found = changes(before, now)
    worse = slower(found, tolerance)
    shown = table(found, tolerance)
    if shown.row_count:
        Console(soft_wrap=True).print(shown)
    if gone := sorted(before.keys() - now.keys()):
        print(f"{len(gone)} of the baseline were not timed: {', '.join(short_name(name) for name in gone)}")
    print(f"{len(found)} compared with {of}: {len(worse)} slower by more than {tolerance:.0%}")
    return 1 if worse else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], prog="benchmarks.micro")
    parser.add_argument("action", choices=("run", "save", "compare"))
    parser.add_argument("run", nargs="?", type=Path, help="a file of pytest's --benchmark-json; nothing is timed then")
    parser.add_argument("--device", choices=get_args(Device), default="cpu")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="of a median, as a share (default: 0.15)")
    options = parser.parse_args()
    if not 0.0 < options.tolerance < 10.0:
        raise InputError(f"--tolerance {options.tolerance}: expected a share above 0 and below 10, such as 0.15")
    run = read_run(options.run) if options.run else None
    if options.action == "compare":
        sys.exit(compare(options.device, run, options.tolerance))
    run = run or time_them(options.device)
    if options.action == "save":
        path = path_for(machine(), options.device)
        keep(run, path)
        print(f"kept in {path}; commit it")


if __name__ == "__main__":
    with one_line_errors():
        main()
