"""What kernels and engines are timed on: drawn scenes with all that the stages before would have made of them.

Each round takes the next scene, so that no call finds its own input in the caches, and none is timed on one picture's
luck.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ...engines.shape import net_size
from ...kernels.api import Belief, Centres, InverseDepth, Lens, Motion, Picture, load
from ...stream.config import Settings
from ...stream.layers import LayerTracker
from ..scenes import REPORTING, scene
from ..thin_lens import Scene

FAMILIES = ("twigs", "overlap", "lamps", "ground")
NOISE_CODES = 2.0  # of a camera in a room, standard deviation in code values
NET_NOISE = 0.006  # of inverse depth, as in `Belief.first`
NET_BLUR_PX = 1.5  # a net's edges are soft
STEP_PX = 14.0  # how far the camera's move shifts what is nearest, at the scene's own size


@dataclass(frozen=True, slots=True, repr=False)
class Input:
    """One frame of a scene at one size, and the frame before it.

    picture: `h w 3` uint8; picture16: the same in uint16. small: inverse depth as a net gives it, `h' w'`; again: what
    it says of the same frame once more. depth: `h w`. grid, grid_before: both frames on the grid of motion. belief: of
    the frame before; carried: of this frame.
    """

    picture: Picture
    picture16: NDArray[np.uint16]
    small: InverseDepth
    again: InverseDepth
    depth: InverseDepth
    grid: Picture
    grid_before: Picture
    motion: Motion
    belief: Belief
    carried: Belief
    focus: float

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.picture.shape[0], self.picture.shape[1]

    def lens(self, aperture: float) -> Lens:
        """aperture: as `--aperture`."""
        return Lens.of_aperture(self.focus, aperture, self.size_hw[0], Settings().dead_zone)

    def centres(self, layers: int) -> Centres:
        """As K-Means finds them in this depth."""
        return LayerTracker(load("cpu"), layers).update(self.depth)

    def radius_px(self, aperture: float) -> float:
        """The largest circle of confusion of this frame."""
        lens = self.lens(aperture)
        return max(lens.radius_px(float(self.depth.min())), lens.radius_px(float(self.depth.max())))


@cache
def inputs(size_hw: tuple[int, int]) -> tuple[Input, ...]:
    """One of each family, always the same."""
    return tuple(_input(family, size_hw) for family in FAMILIES)


@cache
def _drawn(family: str) -> Scene:
    return scene(family, REPORTING[0])


def _input(family: str, size_hw: tuple[int, int]) -> Input:
    rng = np.random.default_rng((*size_hw, FAMILIES.index(family)))
    drawn, kernels = _drawn(family), load("cpu")
    (now, true), (before, true_before) = (_seen(one, size_hw, rng) for one in (drawn, _moved(drawn)))
    small, again, small_before = (_as_of_a_net(depth, size_hw, rng) for depth in (true, true, true_before))
    grid_hw = small.shape[0] // 2, small.shape[1] // 2
    grid, grid_before = (kernels.shrink(picture, grid_hw) for picture in (now, before))
    motion, belief = kernels.motion(grid, grid_before), Belief.first(small_before, grid_hw)
    finer = rng.integers(0, 257, now.shape, np.uint16)  # bits that 8 do not hold
    return Input(
        picture=now,
        picture16=np.minimum(now.astype(np.uint16) * 257, 65535 - 257) + finer,
        small=small,
        again=again,
        depth=kernels.upsample(small, now),
        grid=grid,
        grid_before=grid_before,
        motion=motion,
        belief=belief,
        carried=kernels.carry(belief, motion),
        focus=drawn.focus,
    )


def _moved(drawn: Scene) -> Scene:
    """Seen a step from the side: what is near moves more."""
    return replace(drawn, sheets=tuple(
        replace(sheet, light=np.roll(sheet.light, round(STEP_PX * sheet.depth), 1),
                coverage=np.roll(sheet.coverage, round(STEP_PX * sheet.depth), 1))
        for sheet in drawn.sheets))  # fmt: skip


def _seen(drawn: Scene, size_hw: tuple[int, int], rng: np.random.Generator) -> tuple[Picture, InverseDepth]:
    """The scene's middle at the size asked for, with a camera's noise; and its true depth."""
    picture = _fitted(drawn.picture(), size_hw)
    noisy = picture + rng.normal(0.0, NOISE_CODES, picture.shape).astype(np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), cast(InverseDepth, _fitted(drawn.inverse_depth(), size_hw))


def _fitted(array: NDArray[np.uint8 | np.float32], size_hw: tuple[int, int]) -> NDArray[np.uint8 | np.float32]:
    height, width = size_hw
    wide = min(array.shape[1], round(array.shape[0] * width / height))
    left = (array.shape[1] - wide) // 2
    part = array[:, left : left + wide]
    way = cv2.INTER_AREA if height < array.shape[0] else cv2.INTER_LINEAR
    return cast("NDArray[np.uint8 | np.float32]", cv2.resize(part, (width, height), interpolation=way))


def _as_of_a_net(depth: InverseDepth, size_hw: tuple[int, int], rng: np.random.Generator) -> InverseDepth:
    height, width = net_size(*size_hw)
    small = cv2.resize(depth, (width, height), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), NET_BLUR_PX) + rng.normal(0.0, NET_NOISE, (height, width))
    return np.clip(soft, 0.0, 1.0).astype(np.float32)
