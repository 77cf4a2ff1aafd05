"""CUDA promises no order among threads: with the last first, every kernel must give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from pullfocus.kernels import Lens, RefocusStyle
from pullfocus.kernels.belief import Belief
from pullfocus.kernels.cuda import YuvLayout, YuvSystem

from .parity import photo, scene_depth
from .ported import Ported

CENTRES = np.array([0.8, 0.45, 0.3, 0.12])
PICTURE, DEPTH = photo((90, 120)), scene_depth((90, 120))

CALLS: dict[str, Callable[[Any], Any]] = {
    "resize": lambda k: k.resize(DEPTH, (31, 200)),
    "smooth": lambda k: k.smooth(DEPTH, 5, 7),
    "assign": lambda k: k.assign(DEPTH, CENTRES),
    "cluster_update": lambda k: k.cluster_update(DEPTH[:9].ravel(), CENTRES, np.ones(4)),
    "disc": lambda k: k.refocus(PICTURE, DEPTH, CENTRES, Lens(0.3, 30.0), RefocusStyle("disc", "fine")),
    "gaussian": lambda k: k.refocus(PICTURE, DEPTH, CENTRES, Lens(0.3, 30.0), RefocusStyle("gaussian", "fast")),
    "upsample": lambda k: k.upsample(scene_depth((24, 32)), PICTURE),
    "shrink": lambda k: k.shrink(PICTURE, (40, 50)),
    "views": lambda k: (
        k.colour_depth(DEPTH, (45, 60)),
        k.mark_in_focus(PICTURE, DEPTH, Lens(0.3, 9.0)),
        k.tint_by_focus(PICTURE, DEPTH, Lens(0.3, 9.0)),
    ),
    "to_8_bits": lambda k: k.to_8_bits(PICTURE, "pq"),
    "motion": lambda k: astuple(k.motion(PICTURE, np.roll(PICTURE, 3, axis=1))),
    "fuse": lambda k: astuple(k.fuse(Belief.first(DEPTH, (45, 60)), DEPTH[::-1].copy())),
    "yuv": lambda k: k.from_yuv(k.to_nv12(PICTURE, YuvSystem()), YuvLayout(90, 120), YuvSystem()),
    "net_input": lambda k: k.net_input(PICTURE, (32, 64), (0.5,) * 3, (0.2,) * 3),
}


@pytest.mark.parametrize("name", CALLS)
def test_order_of_threads_makes_no_difference(both_ways: tuple[Ported, Ported], name: str) -> None:
    forwards, backwards = (CALLS[name](kernels) for kernels in both_ways)
    for one, other in zip(*((out if isinstance(out, tuple) else (out,)) for out in (forwards, backwards)), strict=True):
        np.testing.assert_array_equal(one, other)
