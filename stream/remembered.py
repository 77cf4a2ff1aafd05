"""What was turned last in the live window, kept in the user's configuration for the next run."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from ..engines.atomic import make_folder, write_text
from ..kernels.errors import PullfocusError
from .config import Settings
from .controls import Turned
from .targets import Auto, LayerNumber, Nearest, parse_focus, read_target

HOME = "PULLFOCUS_CONFIG_HOME"  # an environment variable: a folder that takes the place of the user's own
LARGEST_PX = 16384


@dataclass(frozen=True, slots=True)
class Remembered:
    """options: values for options of `pullfocus live`, by the names of its parameters; the rest is the window's own.

    Raises InputError, ValueError or TypeError for values that were never turned by hand.
    """

    options: dict[str, Any] = field(default_factory=dict[str, Any])
    window_wh: tuple[int, int] | None = None
    statistics: bool = False

    def __post_init__(self) -> None:
        if unknown := set(self.options) - set(_KINDS):
            raise ValueError(f"nobody knows {', '.join(sorted(unknown))}")
        for name, value in self.options.items():
            if type(value) not in _KINDS[name]:
                raise TypeError(f"{name}: got {value!r}")
        checked = {name: value for name, value in self.options.items() if name not in ("mirror", "focus")}
        # Only alone: a layer is checked against the number of layers where both are used.
        Settings(**checked)
        parse_focus(self.options.get("focus", "auto"))
        if self.window_wh is not None and not all(16 <= side <= LARGEST_PX for side in self.window_wh):
            raise ValueError(f"window: got {self.window_wh}")

    def turned(self, before: Turned, after: Turned) -> Remembered:
        """With what differs after a run from what it began with: its command line is not to be remembered."""
        focus = after.focus if isinstance(read_target(after.focus), Auto | Nearest | LayerNumber) else before.focus
        now = {"aperture": after.aperture, "layers": after.layers, "view": after.view, "mirror": after.mirror}
        changed = {name: value for name, value in now.items() if value != getattr(before, name)}
        if focus != before.focus:
            changed["focus"] = focus  # a point says nothing about another scene
        return replace(self, options=self.options | changed)


_KINDS: dict[str, tuple[type, ...]] = {
    "aperture": (float, int),
    "layers": (int,),
    "view": (str,),
    "mirror": (bool,),
    "focus": (str,),
}


def remembered_path() -> Path:
    home = os.environ.get(HOME)
    return (Path(home) if home else platformdirs.user_config_path("pullfocus")) / "live.toml"


def recall() -> Remembered:
    """What was kept; nothing, and a word about it on stderr, where that cannot be read."""
    path = remembered_path()
    try:
        kept = tomllib.loads(path.read_text(encoding="utf-8"))
        window = kept.pop("window", {})
        size = window.get("size")
        return Remembered(kept, None if size is None else _size(size), bool(window.get("statistics", False)))
    except FileNotFoundError:
        return Remembered()
    except (OSError, ValueError, TypeError, AttributeError, PullfocusError) as error:
        print(f"pullfocus: {path} is ignored ({error}); delete it, or let this run replace it", file=sys.stderr)
        return Remembered()


def keep(remembered: Remembered) -> None:
    """Write it whole or not at all; what fails is told on stderr, for the run itself went well."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in remembered.options.items()]
    lines += ["", "[window]", f"statistics = {json.dumps(remembered.statistics)}"]
    if remembered.window_wh is not None:
        lines.append(f"size = {json.dumps(remembered.window_wh)}")
    path = remembered_path()
    try:
        make_folder(path.parent)
        write_text(path, "# What was turned last in the window of `pullfocus live`.\n" + "\n".join(lines) + "\n")
    except (PullfocusError, OSError) as error:
        print(f"pullfocus: {error}", file=sys.stderr)


def _size(value: Any) -> tuple[int, int]:
    width, height = value
    if type(width) is not int or type(height) is not int:
        raise TypeError(f"size: got {value!r}")
    return width, height
