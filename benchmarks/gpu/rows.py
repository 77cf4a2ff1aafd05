"""The questions that are answered, one a row, and those of single kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...kernels.api import Lens, RefocusStyle
from ...kernels.cuda import CudaKernels
from ...kernels.cuda.recording import RecordingLauncher
from .card import Card
from .inputs import depths, how_many, pictures, rotated
from .timing import Lengths, Measured, measured

LAYERS, APERTURE = 8, 5.0
BATCH, UPDATES = 4096, 2  # as `stream.layers` takes them for a frame
COPIED_BYTES = 1 << 30
NET_HW = (256, 320)
FOCUS = 0.3


@dataclass(frozen=True, slots=True)
class Target:
    """The most milliseconds that a frame may take; None = not asked."""

    p50_ms: float | None = None
    p95_ms: float | None = None

    def is_met(self, p50_ms: float, p95_ms: float) -> bool:
        return all(most is None or got <= most for most, got in ((self.p50_ms, p50_ms), (self.p95_ms, p95_ms)))


@dataclass(frozen=True, slots=True)
class Sizes:
    """(h, w) of the pictures; smaller ones serve tests."""

    hd: tuple[int, int] = (1080, 1920)
    uhd: tuple[int, int] = (2160, 3840)
    net: tuple[int, int] = NET_HW
    copied_bytes: int = COPIED_BYTES


@dataclass(frozen=True, slots=True)
class Bench:
    """What a row measures with."""

    card: Card
    lengths: Lengths = field(default_factory=Lengths)
    sizes: Sizes = field(default_factory=Sizes)

    @property
    def kernels(self) -> CudaKernels:
        return CudaKernels(self.card.launcher)


@dataclass(frozen=True, slots=True)
class Row:
    """name: of the row, the same in all results. measure: raises where it cannot be measured here."""

    name: str
    target: Target | None
    measure: Callable[[Bench], Measured]


def copy_bandwidth(bench: Bench) -> Measured:
    """A copy within device memory, which every other row is held against."""
    gpu, count = bench.card.launcher, bench.sizes.copied_bytes // 4
    source = gpu.upload(np.random.default_rng(1).random(count, np.float32))

    def step(_index: int) -> object:
        with gpu.queue():
            return gpu.copy(source)

    lengths = Lengths(min(bench.lengths.frames, 50), min(bench.lengths.warm_up, 5))
    return measured(bench.card, lambda: step, lengths, size_hw=(1, 4 * count), bytes_moved=8 * count)


def clustering(bench: Bench) -> Measured:
    """K-Means' updates of one frame and every pixel's layer."""
    size_hw, gpu = bench.sizes.hd, bench.card.launcher
    pixels = size_hw[0] * size_hw[1]
    planes = depths(size_hw, how_many(4 * pixels, bench.card.l2_bytes))
    rng, batch = np.random.default_rng(2), min(BATCH, pixels)
    samples = [[gpu.upload(rng.choice(plane.ravel(), batch)) for _ in range(UPDATES)] for plane in planes]
    plane_of, samples_of = rotated([gpu.upload(plane) for plane in planes]), rotated(samples)
    held = np.linspace(0.9, 0.05, LAYERS)  # labels go by the centres that the host has
    centres = gpu.upload(held)
    weights = gpu.upload(np.full(LAYERS, 1000.0))

    def step(index: int) -> object:
        now, seen = centres, weights
        for batch_of in samples_of(index):
            now, seen = bench.kernels.cluster_update(batch_of, now, seen)
        return now, seen, bench.kernels.assign(plane_of(index), held)

    return measured(bench.card, lambda: step, bench.lengths, size_hw=size_hw, bytes_moved=5 * pixels)


def refocusing(bench: Bench) -> Measured:
    """Layered refocus of a picture with depth at its size, recorded as in a run."""
    size_hw, gpu = bench.sizes.hd, bench.card.launcher
    pixels = size_hw[0] * size_hw[1]
    count = how_many(7 * pixels, bench.card.l2_bytes)
    picture_of = rotated([gpu.upload(picture) for picture in pictures(size_hw, count)])
    plane_of = rotated([gpu.upload(plane) for plane in depths(size_hw, count)])
    centres, style = np.linspace(0.9, 0.1, LAYERS), RefocusStyle(quality="fine")
    lens = Lens.of_aperture(FOCUS, APERTURE, size_hw[0])

    recording = RecordingLauncher(gpu)
    kernels = CudaKernels(recording)

    def step(index: int) -> object:
        with recording.frame():
            out = kernels.refocus(picture_of(index), plane_of(index), centres, lens, style)
        return recording.there(out)

    note = f"{LAYERS} layers, aperture {APERTURE:g}, fine"
    return measured(
        bench.card, lambda: step, bench.lengths, size_hw=size_hw, bytes_moved=10 * pixels, notes=(note,)
    )  # fmt: skip
