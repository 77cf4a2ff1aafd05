"""Pictures of depth, of layers and of the focus; small copies; 8-bit renditions. See `...api.Kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import Lens, Transfer
from ..cpu.light import coding_for
from ..cpu.planes import SHARP_PX
from ..cpu.tone import BT2020_TO_BT709, tone_table
from ..cpu.views import COOL, EDGE, FULL_RADIUS, FULL_TINT, LEAST_TINT, WARM, layer_colours, turbo
from .launch import DeviceArray, Kernel, Recordable
from .refocus import DEEP

_TINT = np.dtype([(name, np.float32) for name in ("focus", "reach", "dead_zone", "full", "sharp", "least", "most")]
                 + [(name, np.uint8, 4) for name in ("warm", "cool")])  # fmt: skip
_PRIMARIES = np.dtype([("row", np.float32, (3, 3))])

Size = tuple[int, int]


def shrink(gpu: Recordable, picture: DeviceArray, size_hw: Size) -> DeviceArray:
    out = gpu.empty((*size_hw, 3), np.uint8)
    gpu.launch(Kernel("shrink.cu", "shrink"), size_hw[::-1], picture, *picture.shape[:2], out, *size_hw)
    return out


def shrink_exactly(gpu: Recordable, picture: DeviceArray, size_hw: Size) -> DeviceArray:
    """By means of the pixels under each, as `engines.shape.shrunk_to` does it. For sizes that are no larger."""
    out = gpu.empty((*size_hw, 3), np.uint8)
    gpu.launch(Kernel("shrink.cu", "shrink_exactly"), size_hw[::-1], picture, *picture.shape[:2], out, *size_hw)
    return out


def colour_depth(gpu: Recordable, inverse_depth: DeviceArray, size_hw: Size) -> DeviceArray:
    colours = gpu.table("turbo", lambda: turbo(np.arange(256, dtype=np.uint8)[:, None]))
    return _coloured(gpu, "colour_depth", inverse_depth, colours, size_hw)


def colour_layers(gpu: Recordable, labels: DeviceArray, layers: int, size_hw: Size) -> DeviceArray:
    colours = gpu.table(("layers", layers), lambda: layer_colours(layers))
    return _coloured(gpu, "colour_layers", labels, colours, size_hw)


def _coloured(gpu: Recordable, name: str, plane: DeviceArray, colours: DeviceArray, size_hw: Size) -> DeviceArray:
    out = gpu.empty((*size_hw, 3), np.uint8)
    gpu.launch(Kernel("views.cu", name), size_hw[::-1], plane, *plane.shape, colours, out, *size_hw)
    return out


def between_of(lens: Lens) -> NDArray[np.float32]:
    """The least and the greatest inverse depth in focus."""
    within = lens.dead_zone + SHARP_PX / max(lens.reach_px, 1e-6)
    return np.array([lens.focus - within, lens.focus + within], np.float32)


def mark_in_focus(
    gpu: Recordable, picture: DeviceArray, inverse_depth: DeviceArray, between: DeviceArray
) -> DeviceArray:
    """between: of `between_of`, there."""
    out, (height, width) = gpu.empty(picture.shape, np.uint8), picture.shape[:2]
    gpu.launch(Kernel("views.cu", "mark_in_focus"), (width, height), picture, inverse_depth, *inverse_depth.shape,
               between, EDGE, out, height, width)  # fmt: skip
    return out


def tint_of(lens: Lens, height: int) -> NDArray[np.uint8]:
    """The struct `Tint`, as bytes. height: of the picture."""
    radii = FULL_RADIUS * height, SHARP_PX
    numbers = lens.focus, lens.reach_px, lens.dead_zone, *radii, LEAST_TINT, FULL_TINT
    tint: NDArray[Any] = np.array([(*numbers, (*WARM, 0), (*COOL, 0))], _TINT)
    return tint.view(np.uint8)


def tint_by_focus(gpu: Recordable, picture: DeviceArray, inverse_depth: DeviceArray, tint: DeviceArray) -> DeviceArray:
    """tint: of `tint_of`, there."""
    out, (height, width) = gpu.empty(picture.shape, np.uint8), picture.shape[:2]
    gpu.launch(Kernel("views.cu", "tint_by_focus"), (width, height), picture, inverse_depth, *inverse_depth.shape, tint,
               out, height, width)  # fmt: skip
    return out


def to_8_bits(gpu: Recordable, picture: DeviceArray, transfer: Transfer = "srgb") -> DeviceArray:
    is_8_bits = picture.dtype == np.uint8
    if transfer == "srgb" and is_8_bits:
        return picture
    out, pixels = gpu.empty(picture.shape, np.uint8), picture.shape[0] * picture.shape[1]
    if transfer == "srgb":
        gpu.launch(Kernel("tone.cu", "to_8_bits"), (3 * pixels,), picture, 3 * pixels, out)
        return out
    toned = gpu.table(("tone", transfer), lambda: tone_table(transfer))
    to_code = gpu.table(("to_code_table", 8, "srgb"), lambda: coding_for(8, "srgb").to_code_table)
    primaries = np.zeros(1, _PRIMARIES)
    primaries["row"][0] = BT2020_TO_BT709
    kernel = Kernel("tone.cu", "from_hdr", () if is_8_bits else (DEEP,))
    gpu.launch(kernel, (pixels,), picture, pixels, toned, primaries, to_code, out)
    return out
