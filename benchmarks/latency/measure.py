"""Measure rows one after another, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...engines.api import to_stderr
from ...kernels.errors import EngineError
from .child import FAILED
from .request import RowRequest, names_of
from .result import Result
from .row import Row

COMMAND = (sys.executable, "-P", "-m", f"{__package__}.child")  # -P: the folder at hand must not shadow packages


class BrokenOffError(Exception):
    """A row failed, or Ctrl-C came; `why` says so. rows: those that were measured before."""

    def __init__(self, rows: list[Row], why: BaseException) -> None:
        super().__init__()
        self.rows, self.why = rows, why


def measure_all(requests: Sequence[RowRequest], repeat: int = 1) -> list[Row]:
    """Every row `repeat` times, in turns: what changes on the machine meanwhile changes all rows alike.

    Raises BrokenOffError where some were measured; else what would be its `why`.
    """
    runs, names = [list[Row]() for _ in requests], names_of([request.facts() for request in requests])
    turns = [(turn, index) for turn in range(repeat) for index in range(len(requests))]
    for done, (turn, index) in enumerate(turns):
        if len(turns) > 1:
            to_stderr(f"run {turn + 1} of {repeat}, row {index + 1} of {len(requests)}: {names[index]}")
        try:
            runs[index].append(measure_row(requests[index]))
        except (EngineError, KeyboardInterrupt) as error:
            if not done:
                raise
            raise BrokenOffError([Row.joined(some) for some in runs if some], error) from error
    return [Row.joined(some) for some in runs]


def measure_row(request: RowRequest, command: Sequence[str] = COMMAND) -> Row:
    """Raises EngineError with the row's own line, or with how its process ended."""
    with TemporaryDirectory(prefix="pullfocus-bench-") as folder:
        out = Path(folder) / "row.json"
        code = run_with_input([*command, str(out)], json.dumps(request.facts()))
        answer: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    if code == FAILED and "error" in answer:
        raise EngineError(answer["error"])
    if code != 0 or not answer:
        end = f"by signal {-code}; the system may have been short of memory" if code < 0 else f"with exit code {code}"
        raise EngineError(f"--size {request.size or 'default'} --engine {request.engine}: its process ended {end}")
    return Row.of_facts(answer)


def run_with_input(command: Sequence[str], text: str) -> int:
    """The exit code of a process that reads `text`; whatever ends this call ends the process. Raises EngineError."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)  # noqa: S603
    except OSError as error:
        raise EngineError(f"cannot start {command[0]} ({error.strerror})") from error
    with process:
        try:
            process.communicate(text)
        except BaseException:
            process.kill()
            raise
    return process.returncode


def warnings_of(result: Result) -> list[str]:
    """What the reader must know before believing the figures."""
    names, lines = names_of([row.settings for row in result.rows]), list[str]()
    busy = [row.conditions.others or 0.0 for row in result.rows if row.conditions.was_busy]
    if busy:
        lines.append(
            f"other programs took up to {max(busy):.0%} of the cores' time in {len(busy)} of {len(names)} rows; "
            "figures are too slow: measure on an idle machine"
        )
    for name, row in zip(names, result.rows, strict=True):
        found = row.steadiness
        if found.is_known and found.from_frame is None:
            lines.append(f"{name}: no steady state, latency drifts by {found.drift:+.0%}; take more --frames")
        elif found.from_frame:
            lines.append(f"{name}: steady from frame {found.from_frame}; --warm-up {row.left_out + found.from_frame}")
    return lines
