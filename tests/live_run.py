"""`pullfocus live` as its user runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np

from .command import run

SMALL = ("--size", "160x120")


def live(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run("live", "--engine", "plane", *arguments)


def report_of(tmp_path: Path, *arguments: str | Path) -> dict[str, Any]:
    path = tmp_path / "report.json"
    result = live(*arguments, "--json", path)
    assert result.returncode == 0, result.stderr
    return json.loads(path.read_text())


def decoded(path: Path) -> list[tuple[float, np.ndarray]]:
    """Time in seconds and RGB picture of every frame."""
    with av.open(str(path)) as container:
        return [(frame.time or 0.0, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
