"""A whole frame: NV12 in, depth by the net, layers, refocus, NV12 out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...engines.shape import MEAN, STD
from ...kernels.api import Lens, RefocusStyle
from ...kernels.cuda import YuvLayout, YuvSystem
from ...kernels.cuda.launch import DeviceArray
from .card import Step
from .inputs import how_many, pictures, rotated
from .net import TorchNet
from .rows import APERTURE, BATCH, FOCUS, LAYERS, UPDATES, Bench
from .timing import Measured, measured

SYSTEM = YuvSystem()
NOTE = f"net every frame at {{}}, {LAYERS} layers, aperture {APERTURE:g}, fine; depth is not held steady"


class WholeFrame:
    """All steps of one frame, for pictures of one size. Waits once: refocus takes the layers' centres from the host."""

    def __init__(self, bench: Bench, size_hw: tuple[int, int]) -> None:
        self._card, self._kernels, self._gpu = bench.card, bench.kernels, bench.card.launcher
        self._net_hw, self._layout = bench.sizes.net, YuvLayout(*size_hw)
        self.net = TorchNet(bench.card.device, self._net_hw)
        self._depth_of = self.net.recorded()
        self._centres, self._weights = self._gpu.upload(np.linspace(0.9, 0.05, LAYERS)), np.full(LAYERS, 1000.0)
        self._lens = Lens.of_aperture(FOCUS, APERTURE, size_hw[0])

    def __call__(self, frame: DeviceArray) -> DeviceArray:
        """frame: NV12, `3h/2 w` uint8. The same of the result."""
        kernels, system = self._kernels, SYSTEM
        picture = kernels.from_yuv(frame, self._layout, system)
        given = kernels.net_input_of_yuv(frame, self._layout, system, self._net_hw, MEAN, STD)
        depth = kernels.upsample(self._card.array_of(self._depth_of(self._card.tensor_of(given))), picture)
        centres, weights = self._centres, self._gpu.upload(self._weights)
        for update in range(UPDATES):
            centres, weights = kernels.cluster_update(self._card.every(depth, BATCH, update), centres, weights)
        held = self._gpu.download(centres)
        return kernels.to_nv12(
            kernels.refocus(picture, depth, held, self._lens, RefocusStyle(quality="fine")), system
        )  # fmt: skip


def on_card(bench: Bench, size_hw: tuple[int, int]) -> Measured:
    """From a frame on the card to a frame on the card."""
    frames = [bench.card.launcher.upload(each) for each in nv12(bench, size_hw)]

    def step() -> Step:
        whole, frame_of = WholeFrame(bench, size_hw), rotated(frames)
        labels.append(whole.net.label)
        return lambda index: whole(frame_of(index))

    labels = list[str]()
    return _described(bench, measured(bench.card, step, bench.lengths, size_hw=size_hw), labels[0])


def host_to_host(bench: Bench) -> Measured:
    """From a frame in main memory to a frame in main memory; each is waited for."""
    size_hw, gpu = bench.sizes.hd, bench.card.launcher
    frame_of = rotated(nv12(bench, size_hw))

    def step() -> Step:
        whole = WholeFrame(bench, size_hw)
        labels.append(whole.net.label)
        return lambda index: gpu.download(whole(gpu.upload(frame_of(index))))

    labels = list[str]()
    return _described(bench, measured(bench.card, step, bench.lengths, size_hw=size_hw), labels[0])


def nv12(bench: Bench, size_hw: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Frames as a decoder gives them, in main memory, `3h/2 w` uint8."""
    count = how_many(size_hw[0] * size_hw[1] * 3 // 2, bench.card.l2_bytes)
    gpu, kernels = bench.card.launcher, bench.kernels
    return [gpu.download(kernels.to_nv12(gpu.upload(each), SYSTEM)) for each in pictures(size_hw, count)]


def _described(bench: Bench, found: Measured, label: str) -> Measured:
    net = NOTE.format(f"{bench.sizes.net[1]}x{bench.sizes.net[0]}")
    return replace(found, engine=label, notes=(*found.notes, net))


def on_card_hd(bench: Bench) -> Measured:
    return on_card(bench, bench.sizes.hd)


def on_card_uhd(bench: Bench) -> Measured:
    return on_card(bench, bench.sizes.uhd)
