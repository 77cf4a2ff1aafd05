"""The result file as tables: for the terminal, and for docs/benchmark_peers.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from .drawn import BLEED

NONE = "n/a"
Row = tuple[str, ...]
HEADS: Row = (
    "peer",
    "sees",
    "whole: ms",
    "CPU ms",
    "blur alone: ms",
    "CPU ms",
    "latency, ms",
    "peak, MB",
    "PSNR all / edge band, dB",
    "leaked",
    "flicker",
)


def rows(result: Mapping[str, Any], clip: str | None = None) -> list[Row]:
    """A row of HEADS for each peer that ran. clip: whose cost to show; None: the first one's."""
    name = clip or next(iter(result["clips"]))
    return [_row(peer, each, each["clips"][name]) for peer, each in result["peers"].items() if "missing" not in each]


def missing(result: Mapping[str, Any]) -> list[str]:
    """A line for each peer that did not run."""
    return [f"{peer}: missing: {each['missing']}" for peer, each in result["peers"].items() if "missing" in each]


def means(peer: Mapping[str, Any]) -> dict[str, float]:
    """PSNR over all drawn scenes, by area; NaN without any."""
    scores = [score for name, score in peer["truth"].items() if name != BLEED]
    return {a: float(np.mean([score[a] for score in scores])) if scores else np.nan for a in ("all", "edge band")}


def _row(name: str, peer: Mapping[str, Any], costs: Mapping[str, Any]) -> Row:
    whole, blur, psnr = costs["whole"], costs["blur"], means(peer)
    own = whole or blur
    return (
        name,
        peer["sees"] or "nothing",
        _told(whole, "median_ms"),
        _told(whole, "cpu_ms"),
        _told(blur, "median_ms"),
        _told(blur, "cpu_ms"),
        _told(own, "latency_ms"),
        _told(own, "peak_mb"),
        " / ".join(NONE if np.isnan(value) else f"{value:.1f}" for value in psnr.values()),
        f"{peer['truth'][BLEED]['leaked']:.1%}".replace("%", " %"),
        f"{peer['flicker']:.2%}".replace("%", " %"),
    )


def _told(cost: Mapping[str, Any] | None, figure: str) -> str:
    return NONE if cost is None or cost[figure] is None else f"{cost[figure]:.0f}"


def for_terminal(heads: Row, lines: Sequence[Row]) -> Table:
    """With no boxes."""
    table = Table(*heads, box=None)
    for line in lines:
        table.add_row(*line)
    return table


def as_markdown(result: Mapping[str, Any]) -> str:
    """For each clip its cost, with the first one the quality of the peers; then what was missing."""
    parts: list[str] = []
    for index, (clip, facts) in enumerate(result["clips"].items()):
        columns = len(HEADS) if index == 0 else len(HEADS) - 3
        parts.append(f"`{clip}`, {facts['size'].replace('x', ' × ')}:")
        parts.append(_markdown(HEADS[:columns], [row[:columns] for row in rows(result, clip)]))
    return "\n\n".join([*parts, *missing(result)])


def _markdown(heads: Row, lines: Sequence[Row]) -> str:
    told = [heads, tuple("---" for _ in heads), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in told)
