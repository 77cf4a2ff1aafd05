"""Run the installed command as its user does, or in the test's own process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pullfocus.stream.cli import run_cli

PULLFOCUS = Path(sys.executable).parent / "pullfocus"


def run(*arguments: str | Path, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [str(PULLFOCUS), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


def run_here(capture: pytest.CaptureFixture[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What the command says and answers, without the second that a program's start takes. `capture` is `capfd`, which
    hears FFmpeg, too.
    """
    capture.readouterr()
    words = [*map(str, arguments)]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = run_cli(words)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(words, code, *capture.readouterr())


def assert_one_line(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line on stderr that says each of `words`."""
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("pullfocus: ")
    for word in words:
        assert word in result.stderr


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Fails after `timeout_s`."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.002)
