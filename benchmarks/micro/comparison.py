"""A run against the baseline: which medians have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.markup import escape
from rich.table import Table

Medians: TypeAlias = Mapping[str, float]  # of each benchmark by its full name, in seconds


@dataclass(frozen=True, slots=True)
class Change:
    """A benchmark's median then and now, in seconds. name: as pytest's command line takes it."""

    name: str
    before_s: float
    now_s: float

    def __post_init__(self) -> None:
        if not (self.before_s > 0.0 and self.now_s > 0.0):
            raise ValueError(f"{self.name}: got {self.before_s} and {self.now_s} s; expected times above 0")

    @property
    def ratio(self) -> float:
        """Above 1 = slower."""
        return self.now_s / self.before_s


def medians(run: Mapping[str, Any]) -> Medians:
    return {row["fullname"]: row["stats"]["median"] for row in run["benchmarks"]}


def changes(before: Medians, now: Medians) -> list[Change]:
    """Those that both have, slowest first."""
    both = [Change(name, before[name], now[name]) for name in before if name in now]
    return sorted(both, key=lambda change: -change.ratio)


def short_name(name: str) -> str:
    """Without its file.

    >>> short_name("benchmarks/micro/test_kernels.py::test_kernel[assign-cpu-640x480]")
    'test_kernel[assign-cpu-640x480]'
    """
    return name.rpartition("::")[2]


def slower(those: Sequence[Change], tolerance: float) -> list[Change]:
    return [change for change in those if change.ratio > 1.0 + tolerance]


def table(those: Sequence[Change], tolerance: float) -> Table:
    """Those beyond the tolerance, either way."""
    out = Table("median, ms", "baseline", "now", "now / baseline", box=None)
    for change in those:
        if not 1.0 / (1.0 + tolerance) <= change.ratio <= 1.0 + tolerance:
            out.add_row(
                escape(short_name(change.name)),
                f"{change.before_s * 1e3:.4g}",
                f"{change.now_s * 1e3:.4g}",
                f"{change.ratio:.2f}",
            )
    return out
