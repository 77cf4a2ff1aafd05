"""One case or more for each function of `kernels.api.Kernels`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeAlias, cast

import numpy as np

from ...kernels.api import Device, RefocusStyle
from ...kernels.cuda import CudaKernels
from ...stream.config import Settings
from ...stream.layers import BATCH
from .inputs import Input

Arguments: TypeAlias = Callable[[Input], tuple[Any, ...]]

APERTURE, LAYERS = Settings().aperture, Settings().layers
BOTH = Settings(smooth="both")
WIDE, MANY = 3.0, 16  # times the usual aperture; the most layers
STAY = {
    "upload": (0,),
    "assign": (1,),
    "refocus": (2,),
}  # arguments, by their place, that the CUDA kernels take from main memory


@dataclass(frozen=True, slots=True)
class KernelCase:
    """A call of one kernel. variant: tells it from others of the same kernel.

    facts: what the cost may depend on, for the result file. aperture: of the lens, 0 where none is used.
    """

    kernel: str
    variant: str
    arguments: Arguments
    facts: dict[str, str | int]
    aperture: float = 0.0
    devices: tuple[Device, ...] = ("cpu", "cuda")

    @property
    def label(self) -> str:
        return f"{self.kernel} {self.variant}".strip()

    def on_gpu(self, one: Input, kernels: CudaKernels) -> tuple[Any, ...]:
        """The arguments for `kernels`: all arrays are copied there that it does not take from main memory."""
        stay = STAY.get(self.kernel, ())
        with kernels.launcher.queue():
            return tuple(
                value if place in stay else _there(value, kernels) for place, value in enumerate(self.arguments(one))
            )

    def radius_px(self, those: Sequence[Input]) -> float:
        """The largest circle of confusion in all of them."""
        return round(max(one.radius_px(self.aperture) for one in those), 1)


def _there(value: Any, kernels: CudaKernels) -> Any:
    if isinstance(value, np.ndarray):
        return kernels.launcher.upload(value)
    if isinstance(value, tuple):
        return tuple(_there(part, kernels) for part in cast(tuple[Any, ...], value))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    held = {part.name: getattr(value, part.name) for part in fields(value)}
    arrays = {name: _there(array, kernels) for name, array in held.items() if isinstance(array, np.ndarray)}
    return replace(value, **arrays)


def _samples(one: Input) -> Any:
    return np.random.default_rng(1).choice(one.depth.ravel(), BATCH)


def _labels(one: Input) -> Any:
    """Index of the nearest centre for every pixel."""
    borders = one.centres(LAYERS)
    return np.argmin(np.abs(one.depth[..., None] - borders.astype(np.float32)), axis=-1).astype(np.uint8)


def _plain(kernel: str, arguments: Arguments, **facts: str | int) -> KernelCase:
    return KernelCase(kernel, "", arguments, facts)


def _refocus(variant: str, style: RefocusStyle, layers: int = LAYERS, aperture: float = APERTURE) -> KernelCase:
    is_hdr = style.transfer != "srgb"

    def arguments(one: Input) -> tuple[Any, ...]:
        picture = one.picture16 if is_hdr else one.picture
        return picture, one.depth, one.centres(layers), one.lens(aperture), style

    facts: dict[str, str | int] = {"layers": layers, "quality": style.quality, "bits": 16 if is_hdr else 8}
    return KernelCase("refocus", variant, arguments, facts, aperture)


def _focus_view(kernel: str) -> KernelCase:
    return KernelCase(kernel, "", lambda one: (one.picture, one.depth, one.lens(APERTURE)), {}, APERTURE)


CASES = (
    _plain("upload", lambda one: (one.picture,)),
    _plain("download", lambda one: (one.picture,)),
    _plain("finite", lambda one: (one.small,)),
    _plain("stretched", lambda one: (one.small, 0.1, 0.7)),
    _plain("rounded", lambda one: (one.depth,)),
    _plain("resize", lambda one: (one.small, one.size_hw)),
    _plain("upsample", lambda one: (one.small, one.picture)),
    _plain("smooth", lambda one: (one.small, BOTH.median_px, BOTH.gaussian_px)),
    _plain("shrink", lambda one: (one.picture, one.grid.shape[:2])),
    _plain("first_belief", lambda one: (one.small, one.grid.shape[:2])),
    KernelCase("motion", "fast", lambda one: (one.grid, one.grid_before), {"quality": "fast"}),
    # On a GPU it is always fine.
    KernelCase("motion", "fine", lambda one: (one.grid, one.grid_before, True), {"quality": "fine"}, devices=("cpu",)),
    _plain("carry", lambda one: (one.belief, one.motion)),
    _plain("fuse", lambda one: (one.carried, one.again)),
    _plain(
        "cluster_update", lambda one: (_samples(one), one.centres(LAYERS), np.full(LAYERS, float(BATCH))), layers=LAYERS
    ),
    _plain("assign", lambda one: (one.depth, one.centres(LAYERS)), layers=LAYERS),
    _refocus("disc fast", RefocusStyle()),
    _refocus("disc fine", RefocusStyle(quality="fine")),
    _refocus("gaussian fast", RefocusStyle("gaussian")),
    _refocus("polygon fast", RefocusStyle("polygon")),
    _refocus("disc fast, wide", RefocusStyle(), aperture=WIDE * APERTURE),
    _refocus("disc fast, 16 layers", RefocusStyle(), layers=MANY),
    _refocus("disc fast, PQ", RefocusStyle(transfer="pq")),
    KernelCase("to_8_bits", "sRGB", lambda one: (one.picture16, "srgb"), {"bits": 16}),
    KernelCase("to_8_bits", "PQ", lambda one: (one.picture16, "pq"), {"bits": 16}),
    KernelCase("to_8_bits", "HLG", lambda one: (one.picture16, "hlg"), {"bits": 16}),
    _plain("colour_depth", lambda one: (one.depth, one.size_hw)),
    _plain("colour_layers", lambda one: (_labels(one), LAYERS, one.size_hw), layers=LAYERS),
    _plain("tiled", lambda one: (((one.picture, one.picture), (one.picture, one.picture)),), pictures=4),
    _plain("captioned", lambda one: (one.picture, "inverse depth")),
    _focus_view("mark_in_focus"),
    _focus_view("tint_by_focus"),
)
