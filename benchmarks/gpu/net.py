"""The net by itself: from a picture of its size to depth, both on the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...engines.build import Compiled, EngineRequest, build
from ...engines.checkpoint import locate
from ...engines.finding import find_gpu_engines
from ...engines.switching import SwitchingEngine
from ...kernels.errors import EngineError
from .card import Step
from .inputs import how_many, pictures, rotated
from .rows import Bench
from .timing import Measured, measured, timed

if TYPE_CHECKING:
    from torch import Tensor

MODEL = "resnet18"
EAGER = "the same net eager, in the same run,"


class TorchNet:
    """The shipped net in PyTorch, in half precision on a GPU. size_hw: of its input."""

    def __init__(self, device: str, size_hw: tuple[int, int]) -> None:
        import torch

        from ...engines.torch_engine import load_net

        self.device = torch.device(device)
        self.dtype = torch.float16 if self.device.type == "cuda" else torch.float32
        net = load_net(locate(MODEL)).to(self.device, self.dtype)
        self._net = net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._place = torch.zeros((1, 3, *size_hw), dtype=self.dtype, device=self.device)
        self.label = f"torch {torch.__version__}, {str(self.dtype).removeprefix('torch.')}"

    def eager(self, given: Tensor) -> Tensor:
        """given: `3 h w`, normalised, on the device. The depth, `h w` float32."""
        import torch

        with torch.inference_mode():
            self._place.copy_(given[None])
            return self._forward()

    def recorded(self) -> Callable[[Tensor], Tensor]:
        """As `eager`, from a CUDA graph; every call overwrites the result of the one before. Eager on a CPU."""
        import torch

        from ...engines.cuda_graph import record_graph

        if self.device.type != "cuda":
            return self.eager
        with torch.inference_mode():
            depth, replay = record_graph(self._forward)

        def play(given: Tensor) -> Tensor:
            with torch.inference_mode():
                self._place.copy_(given[None])
                replay()
            return depth

        self.label += ", CUDA graph"
        return play

    def _forward(self) -> Tensor:
        import torch

        return self._net(self._place.to(memory_format=torch.channels_last)).float()[0, 0]


def recorded_net(bench: Bench) -> Measured:
    """PyTorch's kernels played from a CUDA graph, and beside it launched one by one."""
    import torch

    size_hw, net = bench.sizes.net, TorchNet(bench.card.device, bench.sizes.net)
    count = how_many(3 * net.dtype.itemsize * size_hw[0] * size_hw[1], bench.card.l2_bytes)
    normal = [torch.from_numpy(each.transpose(2, 0, 1).copy()).float() / 64 - 2 for each in pictures(size_hw, count)]
    given_of = rotated([each.to(net.device, net.dtype) for each in normal])

    def recorded() -> Step:
        play = net.recorded()
        return lambda index: play(given_of(index))

    found = measured(bench.card, recorded, bench.lengths, size_hw=size_hw)
    eager_ms, _ = timed(bench.card, lambda index: net.eager(given_of(index)), bench.lengths)
    return replace(found, engine=net.label, beside={EAGER: float(np.median(eager_ms))})


def compiled_net(bench: Bench, name: Compiled = "tensorrt") -> Measured:
    """A compiled engine, its copies from and to main memory included. Raises EngineError where it is not usable."""
    found = next(one for one in find_gpu_engines() if one.name == name)
    if not found.usable:
        raise EngineError(found.why)
    engine = build(EngineRequest(name, "cuda", MODEL, "fine"))
    if isinstance(engine, SwitchingEngine):
        engine.settle(bench.sizes.net)  # builds it, or takes it from the store
    picture_of = rotated(pictures(bench.sizes.net, 8))

    def step(index: int) -> object:
        return engine.infer(picture_of(index))

    note = "with the copies from and to main memory"
    return measured(
        bench.card, lambda: step, bench.lengths, size_hw=bench.sizes.net, engine=engine.detail, notes=(note,)
    )  # fmt: skip
