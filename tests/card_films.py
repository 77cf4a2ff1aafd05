"""Films of drawn pictures for the tests' card, an engine that is a function of the picture, and what the CPU makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.engines.api import Engine
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.shape import shrunk_to
from pullfocus.engines.there import DepthThere, PictureThere
from pullfocus.kernels.api import AnyPicture, InverseDepth, Picture
from pullfocus.kernels.cuda import CudaKernels, DevicePicture, HostYuv, YuvLayout, YuvSystem
from pullfocus.kernels.cuda.launch import Kernel
from pullfocus.stream.config import Settings
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.parts import net_parts
from pullfocus.stream.pipeline import Stage, run

from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .parity import photo

SIZE_HW, TURNED_HW = (72, 96), (96, 72)
SETTINGS = Settings(engine=EngineRequest("plane"), layers=3, aperture=12.0)
SYSTEM = YuvSystem("bt709")


class Brightness:
    """An engine of the CPU whose inverse depth is the picture's grey, at half its size."""

    name, detail = "brightness", "a test's"

    def infer(self, picture: Picture) -> InverseDepth:
        small = shrunk_to(picture, (picture.shape[0] // 2, picture.shape[1] // 2))
        return (small @ np.array([0.299, 0.587, 0.114])).astype(np.float32) / np.float32(255.0)


class BrightnessThere(Brightness):
    """The same, computed on the card."""

    def infer(self, picture: Picture) -> InverseDepth:
        if not isinstance(picture, PictureThere):
            return super().infer(picture)
        high, wide = size_hw = picture.shape[0] // 2, picture.shape[1] // 2
        gpu = picture.kernels.launcher
        grey, small = gpu.empty(size_hw, np.float32), picture.shrunk(size_hw)
        gpu.launch(Kernel("flow.cu", "grey"), (high * wide,), small, high * wide, grey)
        return cast(InverseDepth, DepthThere(picture.kernels.stretched(grey, 0.0, 255.0)))


@dataclass
class Film:
    """A picture that wanders, and from `cut_at` on another. turned_at: from there on of another size."""

    count: int = 6
    cut_at: int = 4
    deep: bool = False
    turned_at: int = 99
    size_hw: tuple[int, int] = SIZE_HW
    live = False

    def frames(self) -> Iterator[Frame]:
        for index in range(self.count):
            size_hw = self.size_hw if index < self.turned_at else TURNED_HW
            picture: Any = np.roll(photo(size_hw, seed=3 if index < self.cut_at else 11), 2 * index, axis=1)
            if self.deep:
                picture = picture.astype(np.uint16) * np.uint16(257)
            yield Frame(picture, index, index, Fraction(1, 25), 1)


@dataclass
class Keep:
    got: list[Rendered] = field(default_factory=list[Rendered])

    def write(self, rendered: Rendered, /) -> bool:
        self.got.append(rendered)
        return True


def rendered(film: Film, settings: Settings, card: LateCard | None, capacity: int = 1) -> list[Rendered]:
    sink = Keep()
    run(film, stages_of(settings, card), sink, capacity=capacity)
    return sink.got


def stages_of(settings: Settings, card: LateCard | None, engine: Engine | None = None) -> list[Stage]:
    return net_parts(engine or BrightnessThere(), settings, card=card).stages(settings, FocusPuller(settings))


def through(stages: Sequence[Stage], frames: Iterable[Frame]) -> list[Rendered]:
    """One frame after another, without threads."""
    out = list[Rendered]()
    for item in frames:
        for stage in stages:
            item = stage(item)
        out.append(cast(Rendered, item))
    return out


def check_same(ours: Sequence[Rendered], cpus: Sequence[Rendered], most: float = 10.0) -> None:
    """Within what small differences of depth do to a picture; `parity_table.py` has those of each kernel.

    most: for 995 of 1000 values. A map of layers or of depth in colours jumps from one colour to another.
    """
    assert [each.frame.index for each in ours] == [each.frame.index for each in cpus]
    for card, cpu in zip(ours, cpus, strict=True):
        assert (card.picture.shape, card.picture.dtype, card.cut) == (cpu.picture.shape, cpu.picture.dtype, cpu.cut)
        assert card.layered.plan.inverse_depth == pytest.approx(cpu.layered.plan.inverse_depth, abs=0.004)
        np.testing.assert_allclose(card.layered.centres, cpu.layered.centres, atol=0.008)
        apart = np.abs(card.picture.astype(np.float64) - cpu.picture.astype(np.float64))
        apart /= 257.0 if card.picture.dtype == np.uint16 else 1.0
        assert apart.mean() <= 1.0
        assert np.percentile(apart, 99.5) <= most
        small, other = card.layered.sensed.small, cpu.layered.sensed.small
        assert small is not None
        assert other is not None
        assert np.abs(small - other).mean() <= 0.002


class Plane:
    """A decoder's: rows with a pitch; it counts who reads it, and what it holds when it is let go of is not its own."""

    def __init__(self, values: Any) -> None:
        self._rows = np.zeros((values.shape[0], values.shape[1] + 32), np.uint8)
        self._rows[:, : values.shape[1]] = values
        self._view = self._rows[:, : values.shape[1]]
        self.shape = self._view.shape

    def __dlpack__(self, *, stream: Any = None, **more: Any) -> Any:
        del stream
        return self._view.__dlpack__(**more)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._view.__dlpack_device__()

    def __del__(self) -> None:
        self._rows[:] = 77


def nv12_of(picture: Picture, shim: ShimLauncher) -> Any:
    return CudaKernels(shim).to_nv12(picture, SYSTEM)


def decoded_there(frame: Frame, shim: ShimLauncher) -> Frame:
    planes = nv12_of(frame.picture8, shim)
    given = DevicePicture(Plane(planes[: SIZE_HW[0]]), Plane(planes[SIZE_HW[0] :]), SYSTEM)
    return replace(frame, picture=cast(AnyPicture, given))


def decoded_here(frame: Frame, shim: ShimLauncher) -> Frame:
    planes, rgb = nv12_of(frame.picture8, shim), turned(frame, shim).picture8
    return replace(frame, picture=cast(AnyPicture, HostYuv(planes, YuvLayout(*SIZE_HW), SYSTEM, lambda: rgb)))


def turned(frame: Frame, shim: ShimLauncher) -> Frame:
    """What the decoder's picture is in RGB."""
    kernels: Any = CudaKernels(shim)
    return replace(frame, picture=kernels.from_yuv(nv12_of(frame.picture8, shim), YuvLayout(*SIZE_HW), SYSTEM))
