"""The line's last stage, changing nothing."""

from __future__ import annotations

import numpy as np
from pullfocus.stream.frame import FocusPlan, Frame, Layered, Rendered, Sensed


def rendered(frame: Frame) -> Rendered:
    return Rendered(
        Layered(Sensed(frame, np.zeros(frame.size_hw, np.float32)), np.zeros(2), FocusPlan(0.0, 0.0, 0.0)),
        frame.picture8,
    )


class Render:
    """A stage that changes nothing."""

    name = "refocus"

    def __call__(self, frame: Frame) -> Rendered:
        return rendered(frame)
