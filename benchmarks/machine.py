"""The machine that a measured figure belongs to."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import cv2
from threadpoolctl import threadpool_info

from ..engines.environment import commit, environment


def describe_machine() -> dict[str, str]:
    """The report's environment, and processor, threads of each library, load and git commit."""
    return {
        **environment(),
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "load_1_min": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "threads": _threads(),
        "commit": commit(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _threads() -> str:
    pools = {str(pool["internal_api"]): int(pool["num_threads"]) for pool in threadpool_info()}
    return ", ".join(f"{name} {count}" for name, count in {"opencv": cv2.getNumThreads(), **pools}.items())
