"""The product: net, layers, focus and refocus, one after the other in one thread."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ...engines import checkpoint
from ...engines.build import EngineRequest
from ...engines.openvino_engine import OpenVinoEngine
from ...kernels.api import InverseDepth, Picture, Quality, RefocusStyle, load
from ...stream.config import Settings
from ...stream.focus import FocusPuller
from ...stream.frame import Frame
from ...stream.layers import LayerTracker
from ...stream.parts import net_parts
from ...stream.pipeline import Stage
from ...stream.process import settle_in
from ...stream.targets import Fixed
from .api import InProcess, Means, Shot

LAYERS = 6


class Ours(InProcess):
    """`pullfocus video` with the shipped net; with a depth handed in, layers and refocus alone."""

    sees, takes = "depth", "depth"

    def __init__(self, means: Means, quality: Quality) -> None:
        del means
        settle_in()  # as the program does
        self._kernels = load("cpu")
        self._quality: Quality = quality
        self._engine: OpenVinoEngine | None = None
        self._stages: list[Stage] | None = None

    def prepare(self, shot: Shot) -> None:
        self._shot, self._stages, self._index = shot, None, 0
        self._tracker = LayerTracker(self._kernels, LAYERS)

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        if inverse_depth is not None:
            style = RefocusStyle("disc", self._quality)
            centres = self._tracker.update(inverse_depth)
            return self._kernels.refocus(picture, inverse_depth, centres, self._shot.lens, style)
        if self._stages is None:
            self._stages = self._begin()
        item: Any = Frame(picture, self._index, self._index, Fraction(1, 30))
        self._index += 1
        for stage in self._stages:
            item = stage(item)
        return item.picture

    def _begin(self) -> list[Stage]:
        shot = self._shot
        request = EngineRequest("openvino", quality=self._quality)
        settings = Settings(
            focus=Fixed(shot.focus), aperture=shot.aperture, dead_zone=shot.dead_zone, layers=LAYERS, engine=request
        )
        if self._engine is None:
            self._engine = OpenVinoEngine(checkpoint.locate("resnet18"), self._quality)
        return net_parts(self._engine, settings).stages(settings, FocusPuller(settings))


def fast(means: Means) -> Ours:
    """`--quality fast`."""
    return Ours(means, "fast")


def fine(means: Means) -> Ours:
    """`--quality fine`."""
    return Ours(means, "fine")
