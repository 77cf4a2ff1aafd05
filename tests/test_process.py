"""Freed memory is kept for the next frame, and cores are shared."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import cv2
import pytest
from pullfocus.stream.process import share_cores

PROGRAM = """
import resource
import numpy as np
from pullfocus.stream.process import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        [np.ones(100_000, np.uint8) for _ in range(40)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc offers it")
def test_memory_taken_again_costs_no_page_faults() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20  # twelve megabytes are 2,930 pages


@pytest.mark.parametrize(("cores", "threads"), [(None, 1), (1, 1), (2, 1), (4, 1), (8, 2), (16, 5)])
def test_opencv_gets_the_share_of_a_stage(monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: int) -> None:
    before, asked = cv2.getNumThreads(), list[int]()
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(cv2, "setNumThreads", asked.append)
    share_cores()
    assert asked == [threads]
    assert cv2.getNumThreads() == before
