"""How late is a live picture, how many are lost, and how long does a run take to its first one?

    .venv/bin/python -m pullfocus.benchmarks.live_latency --json OUT

`pullfocus live` itself, with pictures drawn at 30 a second, the net in every frame and no adaptation. Late: from
capture to hand-over, of its own report. Start: from the moment the program is started to its first picture on stdout,
and on the screen (needs Xvfb), with an empty cache and then again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any

import mss
import numpy as np

from ..engines.atomic import write_text
from ..kernels.errors import InputError
from ..training.tool import one_line_errors
from .machine import describe_machine
from .program import PULLFOCUS

SIZES = ("640x480", "1280x720")
RATE = 30
LATER_STARTS = 3
START_LIMIT_S = 20.0
STARTS = 5
STRIPE_CODES, STRIPES = 8, 8
LIVE = (*PULLFOCUS, "live", "--source", "synthetic")


def run_of(size: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Frames, losses and lateness of a run into nothing."""
    report = folder / f"{size}.json"
    command = [*LIVE, "--size", size, "--fps", str(RATE), "--frames", str(round(seconds * RATE)), "--sink", "null"]
    subprocess.run([*command, "--json", str(report)], check=True)  # noqa: S603
    facts = json.loads(report.read_text(encoding="utf-8"))
    kept = ("frames", "dropped", "fps", "latency", "cpu_ms_per_frame", "engine", "stages")
    sent = facts["frames"] + facts["dropped"]
    return {"size": size, **{name: facts[name] for name in kept}, "dropped_share": facts["dropped"] / sent}


def start_to_pipe_s(environment: dict[str, str]) -> float:
    """From the program's start to the first picture on its stdout."""
    command = [*LIVE, "--sink", "-"]
    start_s = monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as process:  # noqa: S603
        assert process.stdout is not None
        header = process.stdout.readline()
        if not process.stdout.readline().startswith(b"FRAME"):
            raise InputError(f"the run ended before its first picture; its stdout began with {header!r}")
        passed_s = monotonic() - start_s
        process.terminate()
        process.stdout.close()
    return passed_s


def start_to_screen_s(environment: dict[str, str]) -> float:
    """From the program's start to the first picture in its window, each time on a screen that showed nothing before.

    Without a window manager Qt sometimes leaves a window black for good, in any program; such a start is not counted.
    """
    for _ in range(STARTS):
        command = [*LIVE, "--fresh"]
        with own_screen() as display:
            start_s = monotonic()
            with subprocess.Popen(  # noqa: S603
                command, stderr=subprocess.DEVNULL, env={**environment, "DISPLAY": display}
            ) as process:
                shown = _shows_a_picture(display, process, start_s + START_LIMIT_S)
                passed_s = monotonic() - start_s
                process.terminate()
        if shown:
            return passed_s
    raise InputError(f"the window stayed empty in {STARTS} starts")


def _shows_a_picture(display: str, process: subprocess.Popen[bytes], end_s: float) -> bool:
    with mss.MSS(display=display) as screen:
        while process.poll() is None and monotonic() < end_s:
            row = np.asarray(screen.grab(screen.monitors[0]))[20, :300, 1].astype(int)
            # An empty window has an edge at most; the drawn wall has a stripe every 16 pixels.
            if np.count_nonzero(np.abs(np.diff(row)) > STRIPE_CODES) >= STRIPES:
                return True
            sleep(0.02)
    return False


@contextmanager
def own_screen() -> Generator[str]:
    """The name of a display that nothing else is shown on."""
    with subprocess.Popen(["Xvfb", "-displayfd", "1", "-noreset"], stdout=subprocess.PIPE, text=True) as server:  # noqa: S607
        assert server.stdout is not None
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def starts_of(start: Callable[[dict[str, str]], float]) -> dict[str, Any]:
    """Seconds of the first start, whose cache is empty, and of later ones."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        first_s = start(environment)
        later_s = [start(environment) for _ in range(LATER_STARTS)]
    return {"first_s": first_s, "later_s": later_s, "later_median_s": median(later_s)}


def main() -> None:
    """Print the figures, and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="of each run")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    machine = describe_machine()  # now: its load is that of others
    with tempfile.TemporaryDirectory() as name:
        runs = [run_of(size, options.seconds, Path(name)) for size in SIZES]
    starts = {"pipe": starts_of(start_to_pipe_s)}
    if shutil.which("Xvfb") is None:
        print("no window was timed: Xvfb is not installed", file=sys.stderr)
    else:
        starts["window"] = starts_of(start_to_screen_s)
    facts = {"runs": runs, "starts": starts, "environment": machine}
    print(json.dumps(facts, indent=1))
    if options.json is not None:
        write_text(options.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
