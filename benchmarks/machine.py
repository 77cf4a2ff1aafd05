"""The machine that a measured time belongs to, and how busy it was."""

from __future__ import annotations

import os

import cv2
from threadpoolctl import threadpool_info

from ..engines.environment import environment


def describe_machine() -> dict[str, str]:
    """The environment of all results, and the threads of each library and the load."""
    return {
        **environment(),
        "load_1_min": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "threads": _threads(),
    }


def _threads() -> str:
    pools = {str(pool["internal_api"]): int(pool["num_threads"]) for pool in threadpool_info()}
    return ", ".join(f"{name} {count}" for name, count in {"opencv": cv2.getNumThreads(), **pools}.items())
