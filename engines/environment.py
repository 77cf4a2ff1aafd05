"""The machine and the software that a figure depends on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def environment(*packages: str) -> dict[str, str]:
    """Processor, system, our git commit, Python, pullfocus and NumPy, and the versions of more packages.

    cpu_model: its family and model numbers (x86 on Linux; "unknown" elsewhere), as a virtual machine's processor may
    have no name but its maker's.
    """
    return {
        "cpu": cpu_fact("model name") or platform.processor() or "unknown",
        "cpu_model": _family_and_model() or "unknown",
        "cores": str(os.cpu_count()),
        "commit": _commit(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        **{package: _version(package) for package in ("pullfocus", "numpy", *packages)},
    }


def _version(package: str) -> str:
    """A checkout that is used as it lies has none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Short hash of our own checkout, with "+" if tracked files were changed; "unknown" outside of one."""
    root = Path(__file__).resolve().parents[1]
    git = shutil.which("git")
    # An installed copy may lie within somebody else's repository.
    if git is None or _answer(git, root, "rev-parse", "--show-toplevel") != str(root):
        return "unknown"
    return _answer(git, root, "describe", "--always", "--dirty=+", "--exclude=*") or "unknown"


def _family_and_model() -> str:
    return " ".join(filter(None, (cpu_fact("cpu family"), cpu_fact("model\t"))))  # and not "model name"


def cpu_fact(name: str) -> str:
    """A line of Linux's /proc/cpuinfo, such as "model name" or "flags", of the first core; "" elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _answer(git: str, folder: Path, *question: str) -> str:
    command = [git, "-C", str(folder), *question]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
