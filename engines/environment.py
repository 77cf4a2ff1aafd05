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
    """Short hash of our own checkout, with "+" if tracked files were changed; "unknown" outside of one."""
    root = Path(__file__).resolve().parents[1]
    git = shutil.which("git")
    # An installed copy may lie within somebody else's repository.
    if git is None or _answer(git, root, "rev-parse", "--show-toplevel") != str(root):
        return "unknown"
    return _answer(git, root, "describe", "--always", "--dirty=+", "--exclude=*") or "unknown"


def _answer(git: str, folder: Path, *question: str) -> str:
    command = [git, "-C", str(folder), *question]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
