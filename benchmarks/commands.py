"""Run the command line many times over without paying for its imports: each run is a fork of one warm server."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic

HUNG = -1  # exit code of a run that was ended because it took too long
KILLED = -signal.SIGKILL
_forks = get_context("forkserver")
_forks.set_forkserver_preload(["pullfocus.stream.cli", "pullfocus.stream.video_job", "pullfocus.stream.image_job"])


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. code: exit code, minus the signal's number after a signal, HUNG."""

    code: int
    said: str  # on stderr
    seconds: float


def run_command(arguments: list[str], log: Path, limit_s: float, kill_after_s: float | None = None) -> Ending:
    """Run `pullfocus ARGUMENTS` to its end, to `limit_s`, or until it is killed after `kill_after_s` seconds."""
    process = _forks.Process(target=_child, args=(arguments, str(log)))
    started_s = monotonic()
    process.start()
    process.join(limit_s if kill_after_s is None else kill_after_s)
    hung = process.is_alive() and kill_after_s is None
    if process.is_alive():
        _kill_group(process)
    process.join()
    code = HUNG if hung else process.exitcode
    assert code is not None
    return Ending(
        code, log.read_text(encoding="utf-8", errors="replace") if log.exists() else "", monotonic() - started_s
    )


def _kill_group(process: BaseProcess) -> None:
    """The run and all that it started."""
    assert process.pid is not None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it had not come as far as having a group of its own
        process.kill()


def _child(arguments: list[str], log: str) -> None:
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stdout.fileno())
    os.dup2(out, sys.stderr.fileno())
    from ..stream.cli import run_cli

    sys.exit(run_cli(arguments))
