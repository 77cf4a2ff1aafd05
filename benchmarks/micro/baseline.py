"""The kept result of each kind of machine, small enough for git.

python -m pullfocus.benchmarks.micro.baseline               # names this machine's file
python -m pullfocus.benchmarks.micro.baseline keep RUN.json # makes a run of pytest-benchmark that file
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...engines.atomic import make_folder, write_text
from ...kernels.api import Device
from ...kernels.errors import InputError
from ..latency.machine_state import PARTS, surroundings

FOLDER = Path(__file__).resolve().parents[1] / "results" / "micro"
STATISTICS = ("min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "outliers", "ops", "rounds", "iterations")
DIGITS = 4  # of a time; no clock is better than that


def machine() -> dict[str, str]:
    """What makes other figures: pytest-benchmark warns where it differs."""
    here = surroundings()
    return {part: here[part] for part in PARTS}


def slim(run: dict[str, Any]) -> None:
    """Leave out of pytest-benchmark's result what no comparison needs, each round's time above all."""
    run["software"] = {name: value for name, value in surroundings().items() if name not in PARTS}
    run["commit_info"] = {name: run["commit_info"].get(name) for name in ("id", "time", "dirty")}
    run["benchmarks"] = [_slim_row(row) for row in run["benchmarks"]]


def _slim_row(row: Mapping[str, Any]) -> dict[str, Any]:
    stats = {name: _rounded(row["stats"][name]) for name in STATISTICS}
    return {**{name: row[name] for name in ("group", "name", "fullname", "extra_info")}, "stats": stats}


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def path_for(here: Mapping[str, str], device: Device) -> Path:
    """Where the baseline of such a machine lies. Raises InputError without a GPU for "cuda"."""
    kind = f"{here['cpu']} {here['cpu_model']} {here['cores']} cores" if device == "cpu" else here["gpu"]
    if device == "cuda" and kind == "none":
        raise InputError("--device cuda: no NVIDIA GPU answers here; check nvidia-smi, or use --device cpu")
    return FOLDER / ("_".join(re.findall(r"[a-z0-9]+", kind.lower().replace("(r)", "").replace("(tm)", ""))) + ".json")


def read_run(path: Path) -> dict[str, Any]:
    """A result of pytest-benchmark. Raises InputError."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        if not run["benchmarks"] or not all(row["stats"]["median"] > 0 for row in run["benchmarks"]):
            raise InputError(f"{path}: holds no times; time them again")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no result of pytest-benchmark; expected a file of its --benchmark-json") from error
    return run


def keep(run: dict[str, Any], path: Path) -> None:
    """Write it, one benchmark a line. Raises OutputError."""
    rows = ",\n".join(f" {json.dumps(row, ensure_ascii=False)}" for row in run["benchmarks"])
    rest = {name: value for name, value in run.items() if name != "benchmarks"}
    make_folder(path.parent)
    write_text(path, f'{json.dumps(rest, indent=1, ensure_ascii=False)[:-2]},\n "benchmarks": [\n{rows}\n]}}\n')
