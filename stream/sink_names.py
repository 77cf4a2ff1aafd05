"""What `--sink` names: a kind of sink, and how it is called in messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from .report import SinkFacts
from .urls import host_of, is_url

Kind = Literal["window", "null", "file", "stdout", "virtual", "network"]

VIRTUAL, PLAYLIST = "virtual:", ".m3u8"


def kind_of(name: str) -> Kind:
    """Which kind of sink a name asks for; what is none of the known ones is a file to record to."""
    match name:
        case "window" | "null":
            return name
        case "-":
            return "stdout"
        case "virtual":
            return "virtual"
        case _ if name.startswith(VIRTUAL):
            return "virtual"
        case _ if is_url(name) or name.lower().endswith(PLAYLIST):
            return "network"
        case _:
            return "file"


def what_was_done(names: tuple[str, ...], sinks: Mapping[str, SinkFacts]) -> str:
    """How a run that ended well is told, as in `wrote a.mp4; shown in a window`: without sinks that failed.

    sinks: as in the run's report.
    """
    told: dict[str, list[str]] = {"wrote": [], "sent to": [], "shown in": []}
    for name in _that_took(names, sinks):
        match kind_of(name):
            case "file":
                told["wrote"].append(name)
            case "stdout":
                told["sent to"].append("standard output")
            case "network":
                told["sent to"].append(host_of(name))
            case "virtual":
                told["shown in"].append("a virtual camera")
            case "window":
                told["shown in"].append("a window")
            case "null":
                pass
    if names == ("window",):
        return "ended"
    return "; ".join(f"{verb} {', '.join(these)}" for verb, these in told.items() if these) or "ended"


def _that_took(names: tuple[str, ...], sinks: Mapping[str, SinkFacts]) -> Iterator[str]:
    """The names of those that took a frame and did not fail; the report numbers sinks that are called the same."""
    seen = Counter[str]()
    for name in names:
        called = host_of(name)
        seen[called] += 1
        facts = sinks.get(called if seen[called] == 1 else f"{called} ({seen[called]})")
        if facts is None or (facts.frames and not facts.failed):
            yield name
