"""The pipeline's stages: depth → layers → refocus. Plain callables: no threads, no queues."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import numpy as np

from ..engines.api import Engine
from ..kernels.api import InverseDepth, Kernels, RefocusStyle
from .config import Settings
from .controls import Controls
from .cuts import CutDetector
from .depth_range import Shot, make_range
from .focus import FocusPuller
from .frame import Frame, Layered, Rendered, Sensed
from .layers import LayerTracker
from .state import State
from .steady import DepthMemory
from .views import show


class DepthSource(Protocol):
    """Where the depth stage gets its inverse depth from."""

    def sense(self, frame: Frame, cut: bool = False) -> Sensed:
        """The next frame with its depth. cut: it begins another scene."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


class NetDepth:
    """An engine's inverse depth, smoothed, held steady, put into range, and given the edges of every picture.

    The engine is asked every `net_every`-th frame, and where a scene begins.
    """

    def __init__(
        self,
        engine: Engine,
        kernels: Kernels,
        settings: Settings,
        shots: Sequence[Shot] | None = None,
        controls: Controls | None = None,
    ) -> None:
        """shots: of the film, for their depth range. controls: whose `net_every`, looked at in every frame, counts.

        Raises InputError where `settings` need shots.
        """
        self._engine, self._kernels, self._settings, self._controls = engine, kernels, settings, controls
        self._memory = DepthMemory(kernels, settings.steady, settings.net_every)
        self._range = make_range(settings.depth_range, shots)
        self._since_net = 0

    def sense(self, frame: Frame, cut: bool = False) -> Sensed:
        if cut:
            self._memory.reset()
            self._range.reset()
            self._since_net = 0
        # Frames seen, not the frame's number: live frames may be dropped, and with them every N-th number.
        self._memory.net_every = (self._controls.settings if self._controls is not None else self._settings).net_every
        new = self._ask(frame) if self._since_net % self._memory.net_every == 0 or self._memory.is_empty else None
        self._since_net = (self._since_net + 1) % self._memory.net_every
        small = self._range.apply(self._memory.update(frame.picture8, new), frame.time_s, self._kernels)
        return with_edges(self._kernels.rounded(small), frame, self._kernels, cut)

    def state(self) -> State:
        return {"memory": self._memory.state(), "range": self._range.state(), "since_net": self._since_net}

    def restore(self, state: State) -> None:
        self._memory.restore(state["memory"])
        self._range.restore(state["range"])
        self._since_net = state["since_net"]

    def _ask(self, frame: Frame) -> InverseDepth:
        # In half precision a sum may overflow; one such pixel would spread through the frames to come.
        raw = self._kernels.finite(self._engine.infer(frame.picture8))
        return self._kernels.smooth(raw, self._settings.median_px, self._settings.gaussian_px)


def with_edges(small: InverseDepth, frame: Frame, kernels: Kernels, cut: bool) -> Sensed:
    """A net's small inverse depth as it is used: at the picture's size, with its edges."""
    return Sensed(frame, kernels.rounded(kernels.upsample(small, frame.picture8)), cut, small)


class GivenDepth:
    """Depth that is known before its frame comes: what is set is the next frame's."""

    def __init__(self, kernels: Kernels, inverse_depth: InverseDepth | None = None) -> None:
        """kernels: those that are to have it. inverse_depth: `h' w'` in main memory."""
        self._kernels, self.inverse_depth = kernels, inverse_depth

    def sense(self, frame: Frame, cut: bool = False) -> Sensed:
        assert self.inverse_depth is not None, "it is set before"
        return Sensed(frame, self._kernels.upload(np.ascontiguousarray(self.inverse_depth, np.float32)), cut)

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        del state


class DepthStage:
    """Frame → Sensed: the inverse depth, and whether a scene begins."""

    name = "depth"

    def __init__(self, source: DepthSource, cuts: Collection[int] | None = None) -> None:
        """cuts: the numbers of the frames that begin a scene, where they are known; else they are looked for."""
        self._source = source
        self._known = cuts
        self._cuts = CutDetector()
        self._size_hw = (0, 0)  # no part of the state: a film keeps its size, and live has no state
        self._is_lost = False

    def __call__(self, frame: Frame) -> Sensed:
        cut = self._cuts.is_cut(frame.glanced) if self._known is None else frame.index in self._known
        # A camera may come back in another size; what was learnt of the scene is in pixels.
        is_resized, self._size_hw = self._size_hw not in ((0, 0), frame.size_hw), frame.size_hw
        is_lost, self._is_lost = self._is_lost, False
        return self._source.sense(frame, cut or is_resized or is_lost)

    def lose(self) -> None:
        """What was learnt of the scene was not computed: the next frame begins another one."""
        self._is_lost = True

    def state(self) -> State:
        return {"source": self._source.state(), "cuts": self._cuts.state()}

    def restore(self, state: State) -> None:
        self._source.restore(state["source"])
        self._cuts.restore(state["cuts"])


class LayersStage:
    """Sensed → Layered: the layers' centres and the focus plan."""

    name = "layers"

    def __init__(
        self, kernels: Kernels, settings: Settings, puller: FocusPuller, controls: Controls | None = None
    ) -> None:
        """controls: whose settings, looked at in every frame, take the place of `settings`."""
        self._kernels, self._puller, self._controls = kernels, puller, controls
        self._tracker = LayerTracker(kernels, settings.layers)

    def __call__(self, sensed: Sensed) -> Layered:
        if self._controls is not None and self._controls.settings.layers != self._tracker.count:
            self._tracker = LayerTracker(self._kernels, self._controls.settings.layers)
        if sensed.cut:
            self._tracker.reset()
            self._puller.reset()
        centres = self._tracker.update(sensed.seen)
        return Layered(sensed, centres, self._puller.plan(sensed, centres))

    def state(self) -> State:
        return {"layers": self._tracker.state(), "focus": self._puller.state()}

    def restore(self, state: State) -> None:
        self._tracker.restore(state["layers"])
        self._puller.restore(state["focus"])


class RefocusStage:
    """Layered → Rendered: the blur, or another view of the same frame."""

    name = "refocus"

    def __init__(self, kernels: Kernels, settings: Settings, controls: Controls | None = None) -> None:
        """controls: whose settings, looked at in every frame, take the place of `settings`."""
        self._kernels, self._settings, self._controls = kernels, settings, controls

    def __call__(self, layered: Layered) -> Rendered:
        now = self._settings if self._controls is None else self._controls.settings
        style = RefocusStyle(now.kernel, now.engine.quality, now.blades, now.rotation)
        return Rendered(layered, show(now.view, layered, self._kernels, style))
