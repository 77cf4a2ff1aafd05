"""A net on a GPU for pictures of one size: fixed buffers, and its kernels recorded once in a CUDA graph.

A small net is some 80 kernels; to launch them one by one costs the host time for each, a graph once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from ..kernels.api import InverseDepth, Picture

Step: TypeAlias = Callable[[], Tensor]
Recorder: TypeAlias = Callable[[Step], tuple[Tensor, Callable[[], None]]]
WARM_UP_RUNS = 3  # libraries choose and load their kernels in the first runs; that cannot be recorded


class FixedSizeNet:
    """`h w 3` uint8 in, `h w` float32 out. Not thread-safe."""

    def __init__(
        self,
        forward: Callable[[Tensor], Tensor],
        size_hw: tuple[int, int],
        device: torch.device,
        record: Recorder | None = None,
    ) -> None:
        """forward: from the picture (`h w 3` uint8, on `device`) to `1 1 h w` float32.

        record: records it once, so that only the recording is played; None: call `forward` for every picture.
        Raises RuntimeError where it cannot be recorded, torch.OutOfMemoryError where memory is short.
        """
        on_gpu = device.type == "cuda"  # pinned memory is copied without a detour
        self._sent = torch.empty((*size_hw, 3), dtype=torch.uint8, pin_memory=on_gpu)
        self._got = torch.empty(size_hw, dtype=torch.float32, pin_memory=on_gpu)
        self._picture = torch.zeros((*size_hw, 3), dtype=torch.uint8, device=device)
        self._forward, self._replay, self._device = forward, None, device
        if record is not None:
            with torch.inference_mode():
                self._depth, self._replay = record(self._step)

    @torch.inference_mode()
    def __call__(self, picture: Picture) -> InverseDepth:
        self._sent.numpy()[:] = picture
        self._got.copy_(self.there(self._sent), non_blocking=True)
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()
        return np.array(self._got.numpy())  # the buffer is overwritten by the next frame

    @torch.inference_mode()
    def there(self, picture: Tensor) -> Tensor:
        """As a call, but the depth is on the net's device: a buffer that the next picture overwrites.

        Waits for nothing: all is done on PyTorch's current stream. picture: there, or in pinned memory.
        """
        self._picture.copy_(picture, non_blocking=True)
        if self._replay is None:
            return self._step()[0, 0]
        self._replay()
        return self._depth[0, 0]

    def _step(self) -> Tensor:
        return self._forward(self._picture)


def record_graph(step: Step) -> tuple[Tensor, Callable[[], None]]:
    """`step` in a CUDA graph: its result, which every replay overwrites, and the replay."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP_RUNS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    # Other threads use the GPU too (blur, decoding): what they allocate meanwhile must not spoil the recording.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        depth = step()
    return depth, graph.replay
