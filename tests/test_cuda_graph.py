"""Torch's net with fixed buffers: played from a recording, recorded again for a new size, and without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pullfocus.engines.cuda_graph import FixedSizeNet, Step
from pullfocus.engines.torch_engine import TorchEngine
from pullfocus.kernels.api import Quality
from pullfocus.kernels.errors import EngineError
from torch import Tensor

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL, OTHER = (192, 192), (192, 256)
CUDA_TOLERANCE = 0.02  # fp16
CASES: list[tuple[tuple[int, int], Quality]] = [
    ((192, 320), "fast"), ((240, 240), "fast"), ((300, 200), "fast"), ((90, 120), "fine")
]  # fmt: skip


class Recorder:
    """Plays a CUDA graph: the same buffers each time, and the step runs only at a replay."""

    def __init__(self) -> None:
        self.recorded = self.played = 0

    def __call__(self, step: Step) -> tuple[Tensor, Callable[[], None]]:
        self.recorded += 1
        depth = step().clone()

        def replay() -> None:
            self.played += 1
            depth.copy_(step())

        return depth, replay


def picture(
    rng: np.random.Generator, size_hw: tuple[int, int] = SMALL
) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return rng.integers(0, 256, (*size_hw, 3), np.uint8)


def test_a_recording_gives_each_picture_its_own_depth(random_model: Path, rng: np.random.Generator) -> None:
    recorder, said = Recorder(), list[str]()
    recorded = TorchEngine(random_model, say=said.append, record=recorder)
    plain = TorchEngine(random_model)
    first, second = picture(rng), picture(rng)
    depths = [recorded.infer(each) for each in (first, second)]
    assert np.abs(depths[0] - depths[1]).max() > 0.01
    for depth, each in zip(depths, (first, second)):
        np.testing.assert_array_equal(depth, plain.infer(each))
    assert (recorder.recorded, recorder.played, said) == (1, 2, [])


def test_a_new_size_is_recorded_anew() -> None:
    recorder = Recorder()

    def mean(given: Tensor) -> Tensor:
        return given.float().mean(dim=2)[None, None]

    for size_hw in ((4, 6), (5, 7)):
        net = FixedSizeNet(mean, size_hw, torch.device("cpu"), recorder)
        given = np.arange(size_hw[0] * size_hw[1] * 3, dtype=np.uint8).reshape(*size_hw, 3)
        depth = net(given)
        np.testing.assert_allclose(depth, given.mean(axis=2), rtol=1e-6)
        kept = depth.copy()
        net(np.zeros((*size_hw, 3), np.uint8))
        np.testing.assert_array_equal(depth, kept)  # the buffer is not what was given out
    assert recorder.recorded == 2


def test_an_engine_records_once_a_size(random_model: Path, rng: np.random.Generator) -> None:
    recorder = Recorder()
    engine = TorchEngine(random_model, record=recorder)
    for size_hw in (SMALL, SMALL, OTHER):
        assert engine.infer(picture(rng, size_hw)).shape == size_hw
    assert recorder.recorded == 2


def test_without_graphs_the_net_runs_all_the_same_and_says_so_once(
    random_model: Path, rng: np.random.Generator
) -> None:
    def refuse(_step: Step) -> tuple[Tensor, Callable[[], None]]:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\npages of advice")

    said = list[str]()
    engine, plain = TorchEngine(random_model, say=said.append, record=refuse), TorchEngine(random_model)
    for size_hw in (SMALL, OTHER):
        each = picture(rng, size_hw)
        np.testing.assert_array_equal(engine.infer(each), plain.infer(each))
    line = "torch runs without a CUDA graph, and slower: CUDA error: operation not permitted when stream is capturing"
    assert said == [line]


def test_a_gpu_without_memory_is_one_line(random_model: Path, rng: np.random.Generator) -> None:
    def full(_step: Step) -> tuple[Tensor, Callable[[], None]]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has ...")

    with pytest.raises(EngineError, match="out of GPU memory; close other programs"):
        TorchEngine(random_model, record=full).infer(picture(rng))


@pytest.mark.gpu
def test_a_cuda_graph_gives_the_depth_of_the_eager_net(random_model: Path, rng: np.random.Generator) -> None:
    said = list[str]()
    engine, plain = TorchEngine(random_model, "cuda", say=said.append), TorchEngine(random_model)
    for size_hw in (SMALL, OTHER, SMALL):
        for _ in range(3):
            each = picture(rng, size_hw)
            np.testing.assert_allclose(engine.infer(each), plain.infer(each), atol=CUDA_TOLERANCE)
    assert said == []


@pytest.mark.gpu
@pytest.mark.parametrize(("size_hw", "quality"), CASES)
def test_cuda_gives_the_depth_of_the_cpu(
    random_model: Path, rng: np.random.Generator, size_hw: tuple[int, int], quality: Quality
) -> None:
    each = picture(rng, size_hw)
    on_gpu = TorchEngine(random_model, "cuda", quality).infer(each)
    on_cpu = TorchEngine(random_model, "cpu", quality).infer(each)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=CUDA_TOLERANCE)
