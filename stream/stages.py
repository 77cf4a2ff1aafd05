"""The pipeline's stages: depth → layers → refocus. Plain callables: no threads, no queues."""

from __future__ import annotations

from typing import Protocol

from ..engines.api import Engine
from ..kernels.api import InverseDepth, Kernels, RefocusStyle
from .config import Settings
from .depth_range import make_range
from .focus import FocusPuller
from .frame import Frame, Layered, Rendered, Sensed
from .grey16 import from_grey16, to_grey16
from .layers import LayerTracker
from .views import show


class DepthSource(Protocol):
    """Where the depth stage gets its inverse depth from."""

    def depth_of(self, frame: Frame) -> InverseDepth: ...


class NetDepth:
    """An engine's inverse depth, smoothed, put into range, and given the edges of every picture.

    The engine is asked every `net_every`-th frame.
    """

    def __init__(self, engine: Engine, kernels: Kernels, settings: Settings) -> None:
        self._engine, self._kernels, self._settings = engine, kernels, settings
        self._range = make_range(settings.depth_range)
        self._last: InverseDepth | None = None
        self._seen = 0

    def depth_of(self, frame: Frame) -> InverseDepth:
        # Frames seen, not the frame's number: live frames may be dropped, and with them every N-th number.
        due = self._seen % self._settings.net_every == 0
        self._seen += 1
        if self._last is None or due:
            raw = self._engine.infer(frame.picture)
            smooth = self._kernels.smooth(raw, self._settings.median_px, self._settings.gaussian_px)
            self._last = self._range.apply(smooth, frame.time_s)
        full = self._kernels.upsample(self._last, frame.picture)
        # On the grid of a 16-bit file, so that a stored depth gives the same picture.
        return from_grey16(to_grey16(full))


class DepthStage:
    """Frame → Sensed."""

    name = "depth"

    def __init__(self, source: DepthSource) -> None:
        self._source = source

    def __call__(self, frame: Frame) -> Sensed:
        return Sensed(frame, self._source.depth_of(frame))


class LayersStage:
    """Sensed → Layered: the layers' centres and the focus plan."""

    name = "layers"

    def __init__(self, kernels: Kernels, settings: Settings, puller: FocusPuller) -> None:
        self._puller = puller
        self._tracker = LayerTracker(kernels, settings.layers)

    def __call__(self, sensed: Sensed) -> Layered:
        centres = self._tracker.update(sensed.inverse_depth)
        return Layered(sensed, centres, self._puller.plan(sensed, centres))


class RefocusStage:
    """Layered → Rendered: the blur, or another view of the same frame."""

    name = "refocus"

    def __init__(self, kernels: Kernels, settings: Settings) -> None:
        self._kernels, self._settings = kernels, settings
        self._style = RefocusStyle(settings.kernel, settings.engine.quality, settings.blades, settings.rotation)

    def __call__(self, layered: Layered) -> Rendered:
        return Rendered(layered, show(self._settings.view, layered, self._kernels, self._style))
