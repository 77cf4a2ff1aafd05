"""What a user may turn while a run goes on: the one place for window, browser page and whatever else asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from .config import Settings, View
from .focus import FocusPuller
from .targets import Point, Target, write_target


@dataclass(frozen=True, slots=True)
class Turned:
    """How the controls stand. focus: as `--focus` takes it; aperture as `--aperture`."""

    focus: str
    held: bool
    aperture: float
    layers: int
    view: View
    mirror: bool


class Controls:
    """Any thread may turn them; the stages look at them once a frame.

    What is in focus and how wide the lens is open belongs to the `FocusPuller`, which eases both; the rest is a
    `Settings` that is replaced whole, so nobody sees half a change.
    """

    def __init__(self, settings: Settings, puller: FocusPuller, mirror: bool = False) -> None:
        self._puller = puller
        self._settings = settings
        self._lock = Lock()
        self._mirror = mirror

    @property
    def settings(self) -> Settings:
        """As they are now."""
        return self._settings

    @property
    def mirror(self) -> bool:
        """Whether frames are mirrored; a point in focus goes to the other side with its picture."""
        return self._mirror

    @mirror.setter
    def mirror(self, on: bool) -> None:
        target = self._puller.target
        if on != self._mirror and isinstance(target, Point):
            self._puller.target = Point(1.0 - target.x, target.y)
        self._mirror = on

    def change(self, **values: Any) -> None:
        """Replace fields of the settings, as in `change(view="depth")`, or raise InputError and change nothing."""
        with self._lock:
            self._settings = replace(self._settings, **values)
            if "aperture" in values:
                self._puller.aperture = self._settings.aperture

    def focus_on(self, target: Target) -> None:
        """Pull the focus to `target`; what was held is let go. Raises InputError for a layer that there is not."""
        self.change(focus=target)
        self._puller.target = target
        self._puller.held = False

    def hold(self, held: bool) -> None:
        """Keep the focus at the depth where it is, whatever the target does; False goes after the target again."""
        self._puller.held = held

    def now(self) -> Turned:
        settings, puller = self._settings, self._puller
        return Turned(
            write_target(puller.target), puller.held, puller.aperture, settings.layers, settings.view, self.mirror
        )
