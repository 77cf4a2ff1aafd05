"""Results of the quality bench, made of plain figures."""

from __future__ import annotations

from pullfocus.benchmarks.quality.request import Settings
from pullfocus.benchmarks.quality.result import Result, known


def result(**by_suite: dict[str, dict[str, float]]) -> Result:
    """Of the small version."""
    return Result(Settings(small=True), {s: known(found) for s, found in by_suite.items()}, "any", {"cpu": "any"})
