"""Work spread over processes: they end with the one that began them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
from pathlib import Path
from pullfocus.benchmarks.processes import each

def work(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    each(work, [sys.argv[1]] * 2, processes=2)
"""
PATIENCE_S = 60.0


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "\nState:\tZ" not in status  # ended, but nobody has asked how


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program, folder, until = tmp_path / "program.py", tmp_path / "pids", time.monotonic() + PATIENCE_S
    program.write_text(PROGRAM)
    folder.mkdir()
    with subprocess.Popen([sys.executable, str(program), str(folder)]) as parent:
        try:
            while len(list(folder.iterdir())) < 2 and time.monotonic() < until:
                time.sleep(0.05)
            pids = [int(path.name) for path in folder.iterdir()]
            assert len(pids) == 2
            assert all(map(is_running, pids))
        finally:
            parent.kill()
    while any(map(is_running, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, pids))
