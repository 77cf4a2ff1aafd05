"""The stages of the line, one by one."""

from __future__ import annotations

from typing import Any

from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels import Kernels
from pullfocus.stream.config import Settings
from pullfocus.stream.stages import NetDepth
from pullfocus.stream.synthetic import SyntheticSource


def test_net_every_reuses_the_last_depth(kernels: Kernels) -> None:
    class Counting(PlaneEngine):
        calls = 0

        def infer(self, picture: Any) -> Any:
            self.calls += 1
            return super().infer(picture)

    engine = Counting()
    depth = NetDepth(engine, kernels, Settings(net_every=3))
    for frame in SyntheticSource((48, 64), live=False, frames=7).frames():
        depth.sense(frame)
    assert engine.calls == 3  # frames 0, 3 and 6
