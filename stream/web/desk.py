"""What a browser asks for, checked and done."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from ...kernels.errors import InputError
from ..config import View, shown_number
from ..controls import Controls
from ..frame import LARGEST_APERTURE
from ..takes import Takes
from ..targets import FORMS, read_target
from ..views import point_in

LAYERS = (2, 16)
SHOWN_TAKES = 8
ORDERS = "focus, point, hold, aperture, layers, view, mirror, record, still"


class Desk:
    """Turns the controls as messages say."""

    def __init__(self, controls: Controls, takes: Takes) -> None:
        self._controls, self._takes = controls, takes
        self._made: dict[str, Path] = {}  # takes asked for here, oldest first

    def do(self, message: dict[str, Any]) -> None:
        """Do what `message` asks for. Raises InputError, and changes nothing, where that cannot be; OutputError."""
        controls = self._controls
        match message:
            case {"do": "point", "x": int() | float() as x, "y": int() | float() as y}:
                self._focus_at(x, y)
            case {"do": "focus", "value": str(text)}:
                self._focus_on(text)
            case {"do": "hold", "value": bool(held)}:
                controls.hold(held)
            case {"do": "aperture" | "layers" | "view" as name, "value": int() | float() | str() as value}:
                controls.change(**{name: value})
            case {"do": "mirror", "value": bool(mirror)}:
                controls.mirror = mirror
            case {"do": "record", "value": bool(on)}:
                self._keep(self._takes.record(on))
            case {"do": "still"}:
                self._keep(self._takes.still())
            case _:
                raise InputError(f"got {json.dumps(message)[:100]}, expected an order with its value: {ORDERS}")

    def _focus_at(self, x: float, y: float) -> None:
        """x, y in [0, 1] of the whole picture shown, from the top left."""
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            raise InputError(f"point: got {shown_number(x)}, {shown_number(y)}, expected 0 to 1 each")
        self._controls.focus_on(point_in(self._controls.settings.view, x, y))

    def _focus_on(self, text: str) -> None:
        target = read_target(text[:100])
        if target is None:
            raise InputError(f"focus: got {text[:100]!r}, expected {FORMS}")
        self._controls.focus_on(target)

    def state(self) -> dict[str, Any]:
        """How everything stands, for all browsers."""
        recording = self._takes.recording
        return {
            **asdict(self._controls.now()),
            "recording": None if recording is None else recording.name,
            "recorded_s": self._takes.recorded_s,
            "takes": [name for name, path in self._made.items() if path.exists()][-SHOWN_TAKES:],
        }

    def news(self) -> list[str]:
        """What has become of takes since the last call."""
        return self._takes.news()

    def take(self, name: str) -> Path | None:
        """The file of a take that was asked for here and is finished."""
        path = self._made.get(name)
        return path if path is not None and path.exists() else None

    def _keep(self, path: Path | None) -> None:
        if path is not None:
            self._made[path.name] = path


def limits() -> dict[str, Any]:
    """What the page's controls range over."""
    return {"views": get_args(View), "aperture": [0, LARGEST_APERTURE], "layers": LAYERS}


def read_message(text: str) -> dict[str, Any]:
    """A browser's message. Raises InputError for what is no JSON object."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise InputError(f"got {text[:100]!r}, expected a JSON object")
    return message
