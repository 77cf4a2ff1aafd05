"""The keys of the live window: one table, of which the help and the documentation are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import ceil, floor
from typing import TypeAlias

from ..kernels.errors import InputError, PullfocusError
from .config import View
from .controls import Controls
from .frame import LARGEST_APERTURE
from .overlay import Fading, focus_words
from .takes import Takes
from .targets import Auto, LayerNumber, Nearest, Target

ESCAPE = "\x1b"
LONG_TOAST_S = 4.0  # for what is worth reading twice
STEPS = ((10.0, 0.5), (20.0, 1.0), (LARGEST_APERTURE, 2.0))  # an aperture below the first is turned by the second


@dataclass(slots=True)
class Desk:
    """What the keys turn: the run's controls and takes, and what the window itself shows."""

    controls: Controls
    takes: Takes
    statistics: bool = False
    help: bool = False
    full_screen: bool = False
    quits: bool = False
    toast: Fading = field(default_factory=Fading)


Action: TypeAlias = Callable[[Desk], str]  # does it, and says what to show for a moment, if anything


@dataclass(frozen=True, slots=True)
class Key:
    """A row of the help. caps: as they are shown; presses: what each character does, none for the mouse."""

    caps: tuple[str, ...]
    text: str
    presses: Mapping[str, Action]


def press(desk: Desk, character: str) -> None:
    """Do what a key asks for and show what came of it; a capital is as good as a small letter."""
    action = ACTIONS.get(character) or ACTIONS.get(character.lower())
    try:
        if action is not None and (text := action(desk)):
            desk.toast.show(text)
    except PullfocusError as error:
        desk.toast.show(str(error).removeprefix("--"), LONG_TOAST_S)


def _turn_aperture(desk: Desk, up: bool = True) -> str:
    aperture = desk.controls.settings.aperture
    # Closing from a border between two steps, the finer one below it counts.
    reached = aperture if up else aperture - 1e-6
    step = next((step for below, step in STEPS if reached < below), STEPS[-1][1])
    turned = floor(aperture / step) * step + step if up else ceil(aperture / step) * step - step
    aperture = min(LARGEST_APERTURE, max(0.0, turned))
    desk.controls.change(aperture=aperture)
    return f"aperture {aperture:g}"


def _turn_layers(desk: Desk, by: int) -> str:
    count = desk.controls.settings.layers + by
    desk.controls.change(layers=count)
    return f"{count} layers"


def _focus(desk: Desk, target: Target) -> str:
    if isinstance(target, LayerNumber) and target.number > desk.controls.settings.layers:
        raise InputError(f"there are {desk.controls.settings.layers} layers")
    desk.controls.focus_on(target)
    return f"focus: {focus_words(desk.controls.now())}"


def _hold(desk: Desk) -> str:
    desk.controls.hold(not desk.controls.now().held)
    return "focus held" if desk.controls.now().held else f"focus: {focus_words(desk.controls.now())}"


def _show(desk: Desk, view: View) -> str:
    """A view, or the refocused picture again when it is shown already."""
    shown: View = "refocus" if desk.controls.settings.view == view else view
    desk.controls.change(view=shown)
    return {"refocus": "refocused", "side": "side by side"}.get(shown, shown)


def _mirror(desk: Desk) -> str:
    desk.controls.mirror = not desk.controls.mirror
    return "mirrored" if desk.controls.mirror else "not mirrored"


def _record(desk: Desk) -> str:
    if desk.takes.recording is not None:
        desk.takes.record(False)
        return ""  # what was saved is told when it is
    desk.takes.record(True)
    return "recording, without sound"


def _still(desk: Desk) -> str:
    desk.takes.still()
    return ""


def _flip(desk: Desk, what: str) -> str:
    setattr(desk, what, not getattr(desk, what))
    return ""


def _view(cap: str, view: View, text: str) -> Key:
    return Key((cap,), text, {cap: partial(_show, view=view)})


def _switch(caps: tuple[str, ...], what: str, text: str) -> Key:
    return Key(caps, text, dict.fromkeys(caps, partial(_flip, what=what)))


_quit = partial(_flip, what="quits")
_layer_keys = {str(number): partial(_focus, target=LayerNumber(number)) for number in range(1, 10)}

KEYS: tuple[Key, ...] = (
    Key(("click",), "focus there", {}),
    Key(("wheel",), "zoom into the window", {}),
    Key(("a",), "focus on the subject", {"a": partial(_focus, target=Auto())}),
    Key(("n",), "focus on the nearest", {"n": partial(_focus, target=Nearest())}),
    Key(("1", "...", "9"), "focus on a layer", _layer_keys),
    Key(("space",), "hold the focus", {" ": _hold}),
    Key(("[", "]"), "close, open the aperture", {"[": partial(_turn_aperture, up=False), "]": _turn_aperture}),
    Key(
        ("-", "+"),
        "fewer, more layers",
        {"-": partial(_turn_layers, by=-1), "+": partial(_turn_layers, by=1), "=": partial(_turn_layers, by=1)},
    ),
    Key(("m",), "mirror", {"m": _mirror}),
    Key(("r",), "record, stop", {"r": _record}),
    Key(("c",), "keep a still picture", {"c": _still}),
    _view("d", "depth", "depth"),
    _view("l", "layers", "layers"),
    _view("s", "side", "side by side"),
    _view("p", "peaking", "focus peaking"),
    _view("z", "zone", "focus zones"),
    _switch(("o",), "statistics", "statistics"),
    _switch(("f",), "full_screen", "full screen"),
    _switch(("h", "?"), "help", "this help"),
    Key(("q", "Esc"), "quit", {"q": _quit, ESCAPE: _quit}),
)
ACTIONS: Mapping[str, Action] = {character: action for key in KEYS for character, action in key.presses.items()}
