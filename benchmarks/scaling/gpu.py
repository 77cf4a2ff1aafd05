"""The same stages on a GPU, by CUDA events, and how fast that moves bytes and multiplies. Not yet run on one.

Pictures lie in GPU memory for the kernels. The net is the engine's: it shrinks on the CPU and copies both ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from ...engines import checkpoint
from ...engines.api import Engine
from ...engines.finding import find_torch_on_cuda
from ...engines.gpu import find_gpu
from ...engines.gpu_time import MakeEvent, cuda_event
from ...kernels.api import Belief, Centres, InverseDepth, Lens, RefocusStyle
from ...kernels.cuda import CudaKernels
from ...kernels.errors import EngineError
from ...stream.frame import Frame
from ...stream.layers import START_POINTS, optimal_centres
from ..pictures_720p import panned_photo
from .case import FOCUS, Case
from .probe import FRAME, NET

UPLOAD, DOWNLOAD = "upload", "download"
GPU_STAGES = (NET, "temporal", "edges", "refocus", FRAME)
COPIED_NUMBERS, SIDE, REPEATS = 1 << 28, 8192, 8


@dataclass(frozen=True, slots=True)
class GpuRates:
    """copy: GB/s, read and written bytes together. fp16: 10⁹ multiply-adds a second of a product of matrices."""

    copy_gb_s: float
    fp16_gmac_s: float


def missing() -> str:
    """Why nothing can be measured on a GPU here; empty where it can."""
    try:
        torch = find_torch_on_cuda(find_gpu())
    except EngineError as error:
        return str(error)
    if not torch.usable:
        return torch.why
    return "" if find_spec("cupy") is not None else "cupy is not installed; run: pip install 'pullfocus[cuda]'"


def measure_gpu_here(cases: Sequence[Case], frames: int, warm_up: int) -> dict[str, Any]:
    """The file's part for the GPU of this machine, one round. Raises EngineError, InputError."""
    import torch

    from ...engines.torch_engine import TorchEngine
    from ...kernels.cuda.device import CupyLauncher

    kernels, engines, stages = CudaKernels(CupyLauncher()), dict[str, TorchEngine](), list[dict[str, float]]()
    for case in cases:
        if case.quality not in engines:
            engines[case.quality] = TorchEngine(checkpoint.locate("resnet18"), "cuda", case.quality)
        pictures = panned_photo(frames + warm_up, case.size_hw)
        stages.append(measure_gpu(case, engines[case.quality], kernels, pictures, warm_up, cuda_event))
    name = str(torch.cuda.get_device_name())
    rates = gpu_rates("cuda", cuda_event)
    return {"name": name, "rates": asdict(rates), "stages": stages}


def measure_gpu(
    case: Case, engine: Engine, kernels: CudaKernels, frames: Sequence[Frame], warm_up: int, make_event: MakeEvent
) -> dict[str, float]:
    """Stage → median milliseconds between two events, `upload` and `download` of the picture as well.

    frame: the sum of a frame's stages and both copies; layers are found on the CPU, at the same time as other work.
    """
    clock, chain = GpuClock(make_event), GpuChain(case, engine, kernels)
    for index, frame in enumerate(frames):
        if index == warm_up:
            clock.found_ms.clear()
        chain.step(frame, clock)
    totals = [sum(parts) for parts in zip(*clock.found_ms.values(), strict=True)]
    found = {**clock.found_ms, FRAME: totals}
    return {part: float(np.median(values)) for part, values in found.items()}


class GpuClock:
    """Events before and after a piece of work on the current stream."""

    def __init__(self, make_event: MakeEvent) -> None:
        self._before, self._after = make_event(), make_event()
        self.found_ms = defaultdict[str, list[float]](list)

    def timed(self, part: str, work: Callable[[], Any]) -> Any:
        """The result of `work`; waits until it is there."""
        self._before.record()
        result = work()
        self._after.record()
        self._after.synchronize()
        self.found_ms[part].append(self._before.elapsed_time(self._after))
        return result


class GpuChain:
    """One frame after another through net and kernels."""

    def __init__(self, case: Case, engine: Engine, kernels: CudaKernels) -> None:
        self._case, self._engine, self._kernels, self._gpu = case, engine, kernels, kernels.launcher
        self._belief: Belief | None = None
        self._seen: Any = None

    def step(self, frame: Frame, clock: GpuClock) -> Any:
        """The refocused picture in main memory."""
        kernels, case = self._kernels, self._case
        picture: Any = clock.timed(UPLOAD, lambda: self._gpu.upload(frame.picture8))
        seen = _stretched(clock.timed(NET, lambda: self._engine.infer(frame.picture8)))
        new: Any = self._gpu.upload(seen)
        small: Any = clock.timed("temporal", lambda: self._steady(picture, new))
        depth: Any = clock.timed("edges", lambda: kernels.upsample(small, picture))
        lens, style = Lens.of_aperture(FOCUS, case.aperture, case.height), RefocusStyle(quality=case.quality)
        centres = _centres(seen, case.layers)
        out: Any = clock.timed("refocus", lambda: kernels.refocus(picture, depth, centres, lens, style))
        return clock.timed(DOWNLOAD, lambda: self._gpu.download(out))

    def _steady(self, picture: Any, new: Any) -> Any:
        """What `stream.steady.DepthMemory` does, with arrays on the GPU."""
        grid_hw = max(new.shape[0] // 2, 1), max(new.shape[1] // 2, 1)
        before, self._seen = self._seen, self._kernels.shrink(picture, grid_hw)
        if self._belief is None:
            self._belief = self._first(new, grid_hw)
        else:
            moved = self._kernels.carry(self._belief, self._kernels.motion(self._seen, before))
            self._belief = self._kernels.fuse(moved, new)
        return self._belief.depth

    def _first(self, new: Any, grid_hw: tuple[int, int]) -> Belief:
        first = Belief.first(cast(InverseDepth, new), grid_hw)
        there: dict[str, Any] = {
            name: self._gpu.upload(getattr(first, name)) for name in ("weight", "drift", "stirred")
        }
        return replace(first, **there)


def _stretched(depth: InverseDepth) -> InverseDepth:
    """To [0, 1], as `--depth-range auto` does over time."""
    low, high = np.percentile(depth, (2.0, 98.0))
    return np.clip((depth - low) / max(float(high - low), 1e-6), 0.0, 1.0).astype(np.float32)


def _centres(depth: InverseDepth, layers: int) -> Centres:
    points = np.sort(depth.ravel())[:: max(1, depth.size // START_POINTS)]
    return optimal_centres(points, layers)[0]


def gpu_rates(device: str, make_event: MakeEvent, numbers: int = COPIED_NUMBERS, side: int = SIDE) -> GpuRates:
    """Through PyTorch. numbers: float32 that are copied, more than any cache holds. side: of the matrices."""
    import torch

    source, target = torch.ones(numbers, device=device), torch.zeros(numbers, device=device)
    copy_ms = _best_ms(lambda: target.copy_(source), make_event)
    left = torch.rand(side, side, device=device).to(torch.float16)
    multiply_ms = _best_ms(lambda: torch.matmul(left, left), make_event)
    return GpuRates(2.0 * 4 * numbers / copy_ms / 1e6, side**3 / multiply_ms / 1e6)


def _best_ms(work: Callable[[], object], make_event: MakeEvent) -> float:
    clock = GpuClock(make_event)
    for _ in range(1 + REPEATS):  # the first chooses and loads the kernel
        clock.timed("work", work)
    return min(clock.found_ms["work"][1:])
