"""A net's depth through time: held steady, and moved along with the picture where the net is not asked."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from ..kernels.api import InverseDepth, Kernels, Picture
from ..kernels.belief import Belief
from .state import State


class DepthMemory:
    """What is known of a scene's depth, followed from frame to frame. One thread calls `update`.

    steady: new depth is weighed against what is known; else it replaces it. net_every: new depth comes with every
    N-th frame.
    """

    def __init__(self, kernels: Kernels, steady: bool, net_every: int = 1) -> None:
        self._kernels, self._steady = kernels, steady
        self.net_every = net_every  # may change between two frames
        self._belief: Belief | None = None
        self._seen: Picture | None = None  # the frame before, small

    @property
    def is_empty(self) -> bool:
        """Whether the next frame needs the net."""
        return self._belief is None

    def reset(self) -> None:
        """Forget the scene: the next frame is the first of another."""
        self._belief = self._seen = None

    def state(self) -> State:
        return {
            "belief": None if self._belief is None else _plain(self._belief, self._kernels),
            "seen": None if self._seen is None else self._kernels.download(self._seen),
        }

    def restore(self, state: State) -> None:
        belief, seen = state["belief"], state["seen"]
        self._belief = None if belief is None else _believed(belief, self._kernels)
        self._seen = None if seen is None else self._kernels.upload(seen)

    def update(self, picture: Picture, new: InverseDepth | None) -> InverseDepth:
        """The inverse depth of this frame, at the net's size. new: what the net says of it, None: it was not asked.

        The first frame after a start or a reset needs the net.
        """
        if new is not None and not self._steady and self.net_every == 1:
            return new
        belief = self._carried(picture, new)
        if belief is not None and new is not None:
            belief = self._kernels.fuse(belief, new) if self._steady else replace(belief, depth=new)
        elif belief is None:
            assert new is not None, "the first frame of a scene needs a depth of the net"
            belief = self._kernels.first_belief(new, _grid(new))
        self._belief = belief
        return belief.depth

    def _carried(self, picture: Picture, new: InverseDepth | None) -> Belief | None:
        """What is known, moved to this frame; None when nothing is, or when pictures have another size now."""
        belief = self._belief
        depth = new if new is not None or belief is None else belief.depth
        assert depth is not None, "the first frame of a scene needs a depth of the net"
        before, self._seen = self._seen, self._kernels.shrink(picture, _grid(depth))
        if belief is None or before is None or (new is not None and new.shape != belief.depth.shape):
            return None
        motion = self._kernels.motion(self._seen, before, fine=self.net_every > 1)
        return self._kernels.carry(belief, motion)


def _grid(depth: InverseDepth) -> tuple[int, int]:
    """Motion is seen on a grid half as fine as depth's."""
    return max(depth.shape[0] // 2, 1), max(depth.shape[1] // 2, 1)


def _plain(belief: Belief, kernels: Kernels) -> State:
    """In main memory, with the noise as a number."""
    parts: State = {part.name: getattr(belief, part.name) for part in fields(belief)}
    plain = {name: part if isinstance(part, float) else kernels.download(part) for name, part in parts.items()}
    return plain | {"noise": float(np.ravel(plain["noise"])[0])}


def _believed(state: State, kernels: Kernels) -> Belief:
    arrays = {name: kernels.upload(part) for name, part in state.items() if name != "noise"}
    return Belief(**arrays, noise=state["noise"])
