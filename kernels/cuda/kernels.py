"""All kernels behind one object, which holds what runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..api import Centres, Lens, RefocusStyle, Transfer
from ..belief import Belief, Motion
from . import colour, depth, edges, levels, refocus, temporal, tiles, views
from .colour import Channels, YuvLayout, YuvSystem
from .launch import DeviceArray, Launcher, Recordable, expect
from .picture import DevicePicture


class CudaKernels:
    """Meets `...api.Kernels` with arrays on the GPU. launcher: what runs them, and on which stream."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher

    def upload(self, values: NDArray[Any]) -> DeviceArray:
        with self.launcher.queue():
            return self.launcher.upload(values)

    def download(self, values: DeviceArray) -> NDArray[Any]:
        """Waits for the GPU."""
        with self.launcher.queue():
            return self.launcher.download(values)

    def finite(self, inverse_depth: DeviceArray) -> DeviceArray:
        """Always a copy."""
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(levels.finite, inverse_depth)

    def stretched(self, inverse_depth: DeviceArray, low: float, span: float) -> DeviceArray:
        _depth(inverse_depth)
        with self.launcher.queue():
            between = self.launcher.upload(np.array([low, span], np.float32))
            return self.launcher.call(levels.stretched, inverse_depth, between)

    def rounded(self, inverse_depth: DeviceArray) -> DeviceArray:
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(levels.rounded, inverse_depth)

    def every(self, inverse_depth: DeviceArray, step: int) -> DeviceArray:
        """Every `step`-th value of every `step`-th row; beyond `...api.Kernels`."""
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(levels.every, inverse_depth, step)

    def resize(self, inverse_depth: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(depth.resize, inverse_depth, size_hw)

    def smooth(self, inverse_depth: DeviceArray, median_px: int, gaussian_px: int) -> DeviceArray:
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(depth.smooth, inverse_depth, median_px, gaussian_px)

    def cluster_update(
        self, samples: DeviceArray, centres: DeviceArray, weights: DeviceArray
    ) -> tuple[DeviceArray, DeviceArray]:
        expect("samples", samples, "n", np.float32)
        expect("centres", centres, "k", np.float64)
        expect("weights", weights, str(centres.shape[0]), np.float64)
        with self.launcher.queue():
            return self.launcher.call(depth.cluster_update, samples, centres, weights)

    def assign(self, inverse_depth: DeviceArray, centres: Centres) -> DeviceArray:
        """centres: in main memory."""
        _depth(inverse_depth)
        with self.launcher.queue():
            there = self.launcher.upload(depth.centres_of(centres))
            return self.launcher.call(depth.assign, inverse_depth, there)

    def refocus(
        self, picture: DeviceArray, inverse_depth: DeviceArray, centres: Centres, lens: Lens, style: RefocusStyle
    ) -> DeviceArray:
        """centres: in main memory."""
        _picture(picture, np.uint8, np.uint16)
        _depth(inverse_depth)
        with self.launcher.queue():
            found = refocus.planned(_size(picture), _size(inverse_depth), centres, lens, style)
            if found is None:
                return self.launcher.call(_copied, picture)
            plan, shot = found
            return self.launcher.call(refocus.refocus, picture, inverse_depth, self.launcher.upload(shot), plan)

    def from_yuv(
        self, frame: DeviceArray, layout: YuvLayout, system: YuvSystem, out: DeviceArray | None = None
    ) -> DeviceArray:
        if out is not None:
            expect("an array for RGB", out, f"{layout.height} {layout.width} 3", np.uint8)
        with self.launcher.queue():
            return colour.from_yuv(self.launcher, frame, layout, system, out)

    def nv12_of(self, picture: DevicePicture) -> DeviceArray:
        """A decoder's planes as one array, `3h/2 w`; they are read until the GPU has come to it."""
        high, wide = picture.shape[:2]
        with self.launcher.queue():
            out = self.launcher.empty((high * 3 // 2, wide), np.uint8)
            self.launcher.paste(picture.luma, out, 0)
            self.launcher.paste(picture.chroma, out, high)
            return out

    def to_nv12(self, picture: DeviceArray, system: YuvSystem, multiple: int = 1) -> DeviceArray:
        _picture(picture)
        with self.launcher.queue():
            return colour.to_nv12(self.launcher, picture, system, multiple)

    def net_input(self, picture: DeviceArray, size_hw: tuple[int, int], mean: Channels, std: Channels) -> DeviceArray:
        _picture(picture)
        with self.launcher.queue():
            return colour.net_input(self.launcher, picture, size_hw, mean, std)

    def net_input_of_yuv(
        self, frame: DeviceArray, layout: YuvLayout, system: YuvSystem, size_hw: tuple[int, int],
        mean: Channels, std: Channels,
    ) -> DeviceArray:  # fmt: skip
        with self.launcher.queue():
            return colour.net_input_of_yuv(self.launcher, frame, layout, system, size_hw, mean, std)

    def shrink(self, picture: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
        _picture(picture)
        with self.launcher.queue():
            return self.launcher.call(views.shrink, picture, size_hw)

    def shrink_exactly(self, picture: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
        """A picture as nets see it; beyond `...api.Kernels`."""
        _picture(picture)
        with self.launcher.queue():
            return self.launcher.call(views.shrink_exactly, picture, size_hw)

    def tiled(self, rows: Sequence[Sequence[DeviceArray]]) -> DeviceArray:
        for picture in (picture for row in rows for picture in row):
            expect("a picture", picture, "{} {} 3".format(*rows[0][0].shape), np.uint8)
        with self.launcher.queue():
            return self.launcher.call(tiles.tiled, len(rows[0]), *(picture for row in rows for picture in row))

    def captioned(self, picture: DeviceArray, text: str) -> DeviceArray:
        _picture(picture)
        with self.launcher.queue():
            return self.launcher.call(tiles.captioned, picture, text)

    def to_8_bits(self, picture: DeviceArray, transfer: Transfer = "srgb") -> DeviceArray:
        _picture(picture, np.uint8, np.uint16)
        with self.launcher.queue():
            return self.launcher.call(views.to_8_bits, picture, transfer)

    def colour_depth(self, inverse_depth: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(views.colour_depth, inverse_depth, size_hw)

    def colour_layers(self, labels: DeviceArray, layers: int, size_hw: tuple[int, int]) -> DeviceArray:
        expect("labels", labels, "h w", np.uint8)
        with self.launcher.queue():
            return self.launcher.call(views.colour_layers, labels, layers, size_hw)

    def mark_in_focus(self, picture: DeviceArray, inverse_depth: DeviceArray, lens: Lens) -> DeviceArray:
        _picture(picture)
        _depth(inverse_depth)
        with self.launcher.queue():
            between = self.launcher.upload(views.between_of(lens))
            return self.launcher.call(views.mark_in_focus, picture, inverse_depth, between)

    def tint_by_focus(self, picture: DeviceArray, inverse_depth: DeviceArray, lens: Lens) -> DeviceArray:
        _picture(picture)
        _depth(inverse_depth)
        with self.launcher.queue():
            tint = self.launcher.upload(views.tint_of(lens, picture.shape[0]))
            return self.launcher.call(views.tint_by_focus, picture, inverse_depth, tint)

    def upsample(self, inverse_depth: DeviceArray, picture: DeviceArray) -> DeviceArray:
        _picture(picture)
        _depth(inverse_depth)
        with self.launcher.queue():
            return self.launcher.call(edges.upsample, inverse_depth, picture)

    def first_belief(self, inverse_depth: DeviceArray, grid_hw: tuple[int, int]) -> Belief:
        """All arrays of the result are on the GPU."""
        _depth(inverse_depth)
        with self.launcher.queue():
            weight, nothing, noise = self.launcher.call(temporal.first_belief, grid_hw)
            return Belief(cast(Any, inverse_depth), weight, nothing, nothing, noise)

    def motion(self, now: DeviceArray, before: DeviceArray, fine: bool = False) -> Motion:  # noqa: ARG002
        """The arrays of the result are on the GPU. fine: makes no difference, for it is always fine."""
        _picture(now)
        expect("the picture before", before, "{} {} 3".format(*now.shape), np.uint8)
        with self.launcher.queue():
            return Motion(*self.launcher.call(temporal.motion, now, before))

    def carry(self, belief: Belief, motion: Motion) -> Belief:
        """All arrays are on the GPU."""
        with self.launcher.queue():
            known = belief.depth, belief.weight, belief.drift, belief.stirred
            moved = self.launcher.call(temporal.carry, *known, motion.flow, motion.new, motion.stirred)
            return Belief(*moved, noise=belief.noise)

    def fuse(self, belief: Belief, new: DeviceArray) -> Belief:
        """All arrays are on the GPU, and so is the noise of the result."""
        expect("new depth", new, "{} {}".format(*belief.depth.shape), np.float32)
        with self.launcher.queue():
            known = belief.depth, belief.weight, belief.drift, belief.stirred
            return Belief(*self.launcher.call(temporal.fuse, *known, self._noise(belief), new))

    def _noise(self, belief: Belief) -> DeviceArray:
        """There, whether it has been a number or not."""
        noise: Any = belief.noise
        return self.launcher.upload(np.array([noise], np.float32)) if isinstance(noise, float) else noise


def _copied(gpu: Recordable, array: DeviceArray) -> DeviceArray:
    return gpu.copy(array)


def _size(array: DeviceArray) -> tuple[int, int]:
    return array.shape[0], array.shape[1]


def _picture(picture: DeviceArray, *kinds: DTypeLike) -> None:
    expect("a picture", picture, "h w 3", *(kinds or (np.uint8,)))


def _depth(inverse_depth: DeviceArray) -> None:
    expect("inverse depth", inverse_depth, "h w", np.float32)
