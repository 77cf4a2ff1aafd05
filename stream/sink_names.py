"""What `--sink` names: a kind of sink, and how it is called in messages."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["window", "null", "file", "stdout", "virtual", "network"]

VIRTUAL, PLAYLIST = "virtual:", ".m3u8"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


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
        case _ if _URL.match(name) or name.lower().endswith(PLAYLIST):
            return "network"
        case _:
            return "file"


def shown(name: str) -> str:
    """The name as messages and reports may show it: the path of a URL is often a secret key."""
    if _URL.match(name) is None:
        return name
    parts = urlsplit(name)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def what_was_done(names: tuple[str, ...]) -> str:
    """How a run that ended well is told, as in `wrote a.mp4; shown in a window`."""
    told: dict[str, list[str]] = {"wrote": [], "sent to": [], "shown in": []}
    for name in names:
        match kind_of(name):
            case "file":
                told["wrote"].append(name)
            case "stdout":
                told["sent to"].append("standard output")
            case "network":
                told["sent to"].append(shown(name))
            case "virtual":
                told["shown in"].append("a virtual camera")
            case "window":
                told["shown in"].append("a window")
            case "null":
                pass
    if names == ("window",):
        return "ended"
    return "; ".join(f"{verb} {', '.join(these)}" for verb, these in told.items() if these) or "ended"
