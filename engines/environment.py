"""The software that a figure depends on."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path


def environment(*packages: str) -> dict[str, str]:
    """System, Python, pullfocus and NumPy, and the versions of more packages."""
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("pullfocus", "numpy", *packages)},
    }


def commit() -> str:
    """Short hash of the checkout that this file lies in, with "+" if tracked files were changed; or "unknown"."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.strip() or "unknown"
