"""What was measured, as a file that holds every finished row from the moment it is finished."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...engines.atomic import make_folder, write_text
from .rows import Target
from .timing import Measured

FORMAT = "pullfocus gpu 1"
RESULTS = Path(__file__).resolve().parents[1] / "results"
MOST_KERNELS = 40  # of a row, in the file


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A row that was measured, or `cannot`: why it could not be. floor_ms: its bytes at the copy's bandwidth."""

    name: str
    target: Target | None
    measured: Measured | None = None
    cannot: str = ""
    floor_ms: float | None = None

    @property
    def percentiles_ms(self) -> tuple[float, float]:
        """p50 and p95; of a row that was measured."""
        assert self.measured is not None
        p50, p95 = np.percentile(self.measured.series_ms, (50, 95))
        return float(p50), float(p95)

    @property
    def met(self) -> bool | None:
        """None where nothing was asked, or nothing measured."""
        if self.target is None or self.measured is None:
            return None
        return self.target.is_met(*self.percentiles_ms)

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        asked = {"name": self.name, "target": None if self.target is None else asdict(self.target)}
        found = self.measured
        if found is None:
            return {**asked, "cannot": self.cannot}
        p50_ms, p95_ms = self.percentiles_ms
        return {
            **asked,
            "size": found.size,
            "engine": found.engine or None,
            "frames": len(found.series_ms),
            "p50_ms": round(p50_ms, 4),
            "p95_ms": round(p95_ms, 4),
            "met": self.met,
            "wall_ms": round(found.wall_ms, 4),
            "floor_ms": None if self.floor_ms is None else round(self.floor_ms, 4),
            "beside": {name: round(ms, 4) for name, ms in found.beside.items()},
            "peak_device_mb": None if found.peak_bytes is None else round(found.peak_bytes / 2**20, 1),
            "launches": round(sum(use.launches for use in found.kernels), 2) or None,
            "on_card_ms": round(sum(use.us for use in found.kernels) / 1e3, 4) or None,
            "kernels": [
                {"name": use.name, "launches": round(use.launches, 2), "us": round(use.us, 2)}
                for use in found.kernels[:MOST_KERNELS]
            ],
            "notes": list(found.notes),
        }


def write_result(
    path: Path, environment: dict[str, str], bandwidth: float | None, rows: Sequence[Finished], is_whole: bool
) -> None:
    """bandwidth: bytes a second, read and written. is_whole: no row is missing. Raises OutputError."""
    facts = {
        "format": FORMAT,
        "environment": environment,
        "copy_gb_s": None if bandwidth is None else round(bandwidth / 1e9, 1),
        "is_whole": is_whole,
        "rows": [row.facts() for row in rows],
    }
    make_folder(path.absolute().parent)
    write_text(path, json.dumps(facts, indent=1) + "\n")


def place_of(gpu: str) -> Path:
    """Where the figures of a GPU of that name are kept.

    >>> place_of("NVIDIA H100 80GB HBM3").name
    'nvidia_h100_80gb_hbm3.json'
    """
    return RESULTS / f"{re.sub(r'[^a-z0-9]+', '_', gpu.lower()).strip('_')}.json"
