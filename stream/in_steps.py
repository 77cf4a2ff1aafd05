"""A run's stages, called frame by frame in the caller's thread: from main memory to main memory, wherever they work."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from ..kernels.api import AnyPicture
from .config import Settings
from .focus import FocusPuller
from .frame import Frame, Layered
from .parts import Parts, halves, through
from .stages import GivenDepth


class Steps(Protocol):
    """What they give is no other's memory, and may be kept."""

    def whole(self, frame: Frame) -> AnyPicture:
        """The next frame's picture."""
        ...

    def analyse(self, frame: Frame) -> Layered:
        """The next frame, but for its picture."""
        ...

    def render(self, layered: Layered) -> AnyPicture:
        """The picture of what `analyse` gave, or of what was made of that; as often as is wished."""
        ...


def in_steps(parts: Parts, settings: Settings, puller: FocusPuller) -> Steps:
    """The stages of `parts`, which nobody else calls."""
    return (StepsHere if parts.card is None else StepsOnCard)(parts, settings, puller)


class StepsHere:
    """On the CPU."""

    def __init__(self, parts: Parts, settings: Settings, puller: FocusPuller) -> None:
        self._before, self._after = halves(parts.stages(settings, puller))

    def whole(self, frame: Frame) -> AnyPicture:
        return self.render(self.analyse(frame))

    def analyse(self, frame: Frame) -> Layered:
        return through(self._before, frame)

    def render(self, layered: Layered) -> AnyPicture:
        return through(self._after, layered).picture


class StepsOnCard:
    """With the pictures on a card, where `whole` leaves them between its steps.

    What `analyse` gives is here: the depth in full, not as thin as layers and focus see it. So `render` sends picture
    and depth there again, whatever has been done to them. Results are copied out of page-locked memory, of which
    a machine has little.
    """

    def __init__(self, parts: Parts, settings: Settings, puller: FocusPuller) -> None:
        self._before, self._after = halves(parts.stages(settings, puller))
        self._home = parts.depth_stages()[-1]
        self._given = GivenDepth(parts.kernels)
        self._again = replace(parts, depth=self._given, cuts=()).depth_stages()[:-1]

    def whole(self, frame: Frame) -> AnyPicture:
        return through([*self._before, *self._after], frame).picture.copy()

    def analyse(self, frame: Frame) -> Layered:
        layered = through(self._before, frame)
        here = self._home(layered.sensed)
        small = None if here.small is None else here.small.copy()
        return replace(layered, sensed=replace(here, inverse_depth=here.inverse_depth.copy(), small=small))

    def render(self, layered: Layered) -> AnyPicture:
        self._given.inverse_depth = layered.sensed.inverse_depth
        there = through(self._again, layered.frame)
        return through(self._after, replace(layered, sensed=there)).picture.copy()
