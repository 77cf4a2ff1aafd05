"""Layered refocus on a GPU: the planes of `..cpu.refocus`, all of them in every step. See `...api.Kernels.refocus`.

The finest grid → what the picture shows of every plane → what was hidden filled in, down and up a pyramid → every plane
blurred → all that is before and behind the focus on one grid → the picture. Some twenty launches, whatever the number
of planes; no step waits for the GPU. Unlike on the CPU no plane is limited to where it lies: to know that one would
have to wait. Large circles are not blurred by halves, for a GPU has the taps.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..api import Centres, Lens, RefocusStyle
from ..cpu.blur import corner
from ..cpu.light import Coding, coding_for
from ..cpu.planes import place
from ..cpu.refocus import FINEST_HEIGHT_PX, smallest_radius
from .launch import Argument, DeviceArray, Kernel, Recordable, Shape
from .layout import HIDDEN, Frame, Grid, Layout, blurs_of, cuts_of, layout_of, shot_of

DEEP = "DEEP"  # the macro for pictures of 16 bits


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides which kernels are launched: it stays the same while focus and aperture change a little.

    shapes: side and scale of each plane. size, count: as of `Blurs`.
    """

    frame: Frame
    shapes: tuple[tuple[int, int], ...]
    size: int
    count: int
    style: RefocusStyle


def planned(
    size_hw: Grid, depth_hw: Grid, centres: Centres, lens: Lens, style: RefocusStyle
) -> tuple[Plan, NDArray[np.uint8]] | None:
    """The plan, and the struct `Shot`, which may differ from picture to picture. None: nothing is out of focus.

    Raises InputError for too many planes.
    """
    height, width = size_hw
    base = max(1, round(height / FINEST_HEIGHT_PX[style.quality]))
    planes = place(centres, lens, smallest_radius(base), height)
    if not planes.front and not planes.back:
        return None
    cuts, frame = cuts_of(planes, base, style), Frame.of(height, width, base)
    blurs = blurs_of(cuts, base, style)
    plan = Plan(frame, tuple((cut.side, cut.scale) for cut in cuts), blurs.size, blurs.count, style)
    return plan, shot_of(frame.scene(depth_hw, lens, planes), cuts, blurs)


def refocus(
    gpu: Recordable, picture: DeviceArray, inverse_depth: DeviceArray, shot: DeviceArray, plan: Plan
) -> DeviceArray:
    """shot: of `planned`, there."""
    steps = _Steps(gpu, picture, inverse_depth, shot, plan, layout_of(plan.shapes, plan.frame.finest_hw))
    filled = steps.filled(*steps.cut())
    return steps.composed(filled, steps.blurred(filled))


@dataclass(frozen=True, slots=True, repr=False)
class _Steps:
    """One picture on its way through the steps. Grids of cells are `n 4` for all planes, at the places of `layout`."""

    gpu: Recordable
    picture: DeviceArray
    inverse_depth: DeviceArray
    shot: DeviceArray
    plan: Plan
    layout: Layout

    def cut(self) -> tuple[DeviceArray, DeviceArray]:
        """Every plane as the picture shows it, and the share of each cell that could be seen."""
        size_hw, size = self.plan.frame.finest_hw, self.layout.size
        light, purity = self.gpu.empty((*size_hw, 4), np.float32), self.gpu.empty(size_hw, np.float32)
        to_light, by_light = self._table("to_light_table"), int(self.plan.style.transfer != "srgb")
        self._run("cut.cu", "finest", size_hw[::-1], self.picture, self.inverse_depth, self.shot, to_light, by_light,
                  light, purity)  # fmt: skip
        seen, visible = self._cells(size), self.gpu.empty((size,), self._kind)
        level, extent = self.layout.levels[0], self.layout.extents[0]
        self._run("cut.cu", "cut", extent, light, purity, self.shot, level, seen, visible)
        return seen, visible

    def filled(self, seen: DeviceArray, visible: DeviceArray) -> DeviceArray:
        """The planes with what was hidden filled in. Works in place."""
        levels, extents = self.layout.levels, self.layout.extents
        for (fine, coarse), extent in zip(pairwise(levels), extents[1:], strict=True):
            self._run("fill.cu", "pull", extent, seen, visible, fine, coarse)
        self._run("fill.cu", "rest", (len(self.plan.shapes),), seen, visible, self.layout.last, len(self.plan.shapes))
        upwards = list(zip(pairwise((self.layout.own, *levels[1:])), extents[:-1], strict=True))[::-1]
        for (fine, coarse), extent in upwards:
            self._run("fill.cu", "push", extent, seen, visible, fine, coarse)
        return seen

    def blurred(self, filled: DeviceArray) -> DeviceArray:
        """Each plane by its own circle of confusion."""
        level, extent, corners = self.layout.own, self.layout.extents[0], self.plan.style.corners
        out = self._cells(self.layout.size)
        if self.plan.style.shape == "gaussian":
            between = self._cells(self.layout.size)
            self._run("blur.cu", "spread_line", extent, filled, level, self.shot, 1, between)
            self._run("blur.cu", "spread_line", extent, between, level, self.shot, 0, out)
            return out
        weights, size = self.gpu.empty((self.plan.count,), np.float32), self.plan.size
        rotation = float(np.deg2rad(self.plan.style.rotation))
        self._run(
            "blur.cu",
            "aperture",
            (size, size, len(self.plan.shapes)),
            self.shot,
            corners,
            corner(corners),
            rotation,
            weights,
        )
        self._run("blur.cu", "spread", extent, filled, level, self.shot, weights, out)
        return out

    def composed(self, filled: DeviceArray, blurred: DeviceArray) -> DeviceArray:
        """The picture, with what is not in focus behind and over it."""
        levels, (high, wide) = self.layout.levels, self._around_hw()
        front, back, guess = (self._cells(high * wide) for _ in range(3))
        self._run("compose.cu", "surround", (wide, high), blurred, levels[0], filled, levels[1], self.shot, high, wide,
                  front, back, guess)  # fmt: skip
        out = self.gpu.empty(self.picture.shape, self.picture.dtype)
        extent, roots = (self.plan.frame.width, self.plan.frame.height), self._coding.roots
        tables = self._table("to_light_table"), self._table("to_code_table")
        self._run("compose.cu", "compose", extent, self.picture, self.inverse_depth, self.shot, front, back, guess,
                  high, wide, *tables, roots, out)  # fmt: skip
        return out

    def _around_hw(self) -> Grid:
        """The grid for all that is not in focus: that of the finest plane, unless that is coarse."""
        scale = min(2, *(scale for side, scale in self.plan.shapes if side != HIDDEN))
        return self.plan.frame.finest_hw[0] // scale, self.plan.frame.finest_hw[1] // scale

    @property
    def _bits(self) -> int:
        return 8 * self.picture.dtype.itemsize

    @property
    def _kind(self) -> type[np.floating]:
        """Of what planes are kept in: as `cells.cuh` has it."""
        return np.float16 if self._bits == 8 else np.float32

    @property
    def _coding(self) -> Coding:
        return coding_for(self._bits, self.plan.style.transfer)

    def _table(self, name: str) -> DeviceArray:
        return self.gpu.table((name, self._bits, self.plan.style.transfer), lambda: getattr(self._coding, name))

    def _cells(self, count: int) -> DeviceArray:
        return self.gpu.empty((count, 4), self._kind)

    def _run(self, file: str, name: str, extent: Shape, *arguments: Argument) -> None:
        self.gpu.launch(Kernel(file, name, () if self._bits == 8 else (DEEP,)), extent, *arguments)
