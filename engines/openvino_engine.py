"""The depth net through OpenVINO: the default on a CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import openvino as ov

from ..kernels.api import InverseDepth, Picture, Quality
from ..kernels.errors import CheckpointError
from . import checkpoint
from .environment import cpu_fact
from .openvino_graph import Ranges, build, read_ranges
from .shape import net_size, shrunk_to

Precision = Literal["auto", "f32", "bf16", "int8"]


class OpenVinoEngine:
    """Compiles the net once per input size: in int8 or bf16 where the processor gains by it, else in f32."""

    name = "openvino"

    def __init__(self, model: Path, quality: Quality = "fast", precision: Precision = "auto", threads: int = 0) -> None:
        """threads: 0 = as many as the machine has. Raises CheckpointError, also for int8 without measured ranges."""
        self._quality: Quality = quality
        self._checkpoint = checkpoint.load(model)
        self._core = ov.Core()
        ranges = _ranges(self._checkpoint, model)
        if precision == "auto":
            precision = _best_precision(self._core, has_ranges=bool(ranges))
        elif precision == "int8" and not ranges:
            raise CheckpointError(f"{model}: holds no ranges for int8; make them with pullfocus quantize")
        self._ranges = ranges if precision == "int8" else {}
        self._options = {
            "INFERENCE_PRECISION_HINT": "f32" if self._ranges else precision,  # of what stays in floats
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": str(threads),
        }
        self._requests: dict[tuple[int, int], ov.InferRequest] = {}
        self.detail = f"OpenVINO {ov.__version__.split('-')[0]}, {precision}, CPU"

    def infer(self, picture: Picture) -> InverseDepth:
        size_hw = net_size(picture.shape[0], picture.shape[1], self._quality)
        small = shrunk_to(picture, size_hw)
        request = self._request(size_hw)
        request.infer([small[None]])
        # The request owns its output buffer and overwrites it at the next frame.
        return np.array(request.get_output_tensor(0).data[0, 0], np.float32)

    def _request(self, size_hw: tuple[int, int]) -> ov.InferRequest:
        if size_hw not in self._requests:
            compiled = self._core.compile_model(build(self._checkpoint, size_hw, self._ranges), "CPU", self._options)
            self._requests[size_hw] = compiled.create_infer_request()
        return self._requests[size_hw]


def _ranges(saved: checkpoint.Checkpoint, model: Path) -> Ranges:
    try:
        return read_ranges(saved)
    except CheckpointError as error:
        raise CheckpointError(f"{model}: {error}") from error


def _best_precision(core: ov.Core, has_ranges: bool) -> Literal["f32", "bf16", "int8"]:
    """A fixed rule, not a timing, so that the same machine gives the same depth every time.

    int8 halves the time also with AVX2 alone (AMD Zen 3: 206 → 105 ms of CPU a pass), though its products of bytes
    may saturate there: on NYU's validation pictures δ1 goes from 0.844 to 0.839. AMX and AMD's Zen 4 and later
    gain from bf16; Intel's AVX-512 bf16 without AMX (as in many virtual machines) was measured slower than f32.
    """
    flags = set(cpu_fact("flags").split())  # none known on other systems
    if has_ranges and "avx2" in flags:
        return "int8"
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "f32"
    gains = "AMD" in core.get_property("CPU", "FULL_DEVICE_NAME") or "amx_bf16" in flags
    return "bf16" if gains else "f32"
