"""Fixtures that several test files share."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from pullfocus.engines import checkpoint
from pullfocus.kernels import Kernels, load
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.card import Card
from pullfocus.kernels.cuda.device import CupyLauncher
from pullfocus.kernels.cuda.recording import RecordingLauncher
from pullfocus.kernels.errors import InputError

from .cuda_shim.card import LateCard
from .cuda_shim.launcher import COMPILER, ShimLauncher
from .fake_cupy import FakeCupy
from .ported import Ported
from .recorded import Counting

ABOUT_GPU = re.compile(r"\bmark\.gpu\b|\bon_gpu: \w|\bcuda: (?:Any|Ported)\b")  # in files with tests marked `gpu`


def pytest_configure() -> None:
    """A shell starts what runs in its background with Ctrl-C ignored; the programs under test must hear it.

    Tests that run side by side get a thread each: PyTorch's threads would wait for each other on the same cores.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `real_time` are tried again: what fails once may be a busy machine, what fails always is a fault."""
    for item in items:
        if item.get_closest_marker("real_time") is not None:
            item.add_marker(pytest.mark.flaky(reruns=2))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m gpu` only files that have such tests are imported: a machine with a GPU may lack what others need."""
    if config.option.markexpr != "gpu" or collection_path.suffix != ".py":
        return None
    return True if ABOUT_GPU.search(collection_path.read_text(encoding="utf-8")) is None else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `gpu` skip without one, and fail where PULLFOCUS_REQUIRE_GPU=1 promises it."""
    if item.get_closest_marker("gpu") is None:
        return
    import torch

    if not torch.cuda.is_available():
        miss = pytest.fail if os.environ.get("PULLFOCUS_REQUIRE_GPU") == "1" else pytest.skip
        miss("PyTorch sees no NVIDIA GPU here")


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> FakeCupy:
    """A CuPy that is played."""
    fake = FakeCupy()
    monkeypatch.setitem(sys.modules, "cupy", fake)
    return fake


@pytest.fixture(scope="session")
def kernels() -> Kernels:
    return load("cpu")


@pytest.fixture(scope="session", params=["shim", pytest.param("gpu", marks=pytest.mark.gpu)])
def cuda(request: pytest.FixtureRequest) -> Ported:
    """The CUDA kernels, compiled for the CPU, and on a GPU."""
    if request.param == "gpu":
        return Ported(request.getfixturevalue("on_gpu"))
    return _compiled_for_the_cpu(request, False)


@pytest.fixture(scope="session")
def on_gpu() -> CudaKernels:
    """The CUDA kernels on a GPU, for tests marked `gpu`."""
    try:
        return CudaKernels(CupyLauncher())
    except InputError as error:  # PyTorch sees a GPU, but CuPy is not here
        if os.environ.get("PULLFOCUS_REQUIRE_GPU") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def both_ways(request: pytest.FixtureRequest) -> tuple[Ported, Ported]:
    """The CUDA kernels compiled for the CPU, with the first thread first and with the last."""
    return _compiled_for_the_cpu(request, False), _compiled_for_the_cpu(request, True)


def _compiled_for_the_cpu(request: pytest.FixtureRequest, backwards: bool) -> Ported:
    return Ported(CudaKernels(_launcher(request, backwards)))


def _launcher(request: pytest.FixtureRequest, backwards: bool = False) -> ShimLauncher:
    if COMPILER is None:
        pytest.skip("g++ is not here: it compiles the CUDA kernels for the CPU")
    return ShimLauncher(request.config.cache.mkdir("cuda_shim"), backwards)


@pytest.fixture
def shim(request: pytest.FixtureRequest) -> ShimLauncher:
    """Launches the CUDA kernels, compiled for the CPU."""
    return _launcher(request)


@pytest.fixture
def gpu(shim: ShimLauncher) -> Counting:
    """Kernels compiled for the CPU, with graphs that are counted."""
    return Counting(shim.folder)


@pytest.fixture
def recording(gpu: Counting) -> RecordingLauncher:
    """Keeps what `gpu` is to do."""
    return RecordingLauncher(gpu)


@pytest.fixture
def card(shim: ShimLauncher) -> LateCard:
    """A card without a GPU, on which all work is done as late as CUDA may."""
    return LateCard(shim)


@pytest.fixture
def on_card(monkeypatch: pytest.MonkeyPatch, shim: ShimLauncher) -> None:
    """All runs are on a card."""
    from pullfocus.stream import prepare  # it needs PyAV, which is not everywhere where there is a GPU
    from pullfocus.stream.card_choice import choose_card

    def chosen(settings: Any, size_hw: tuple[int, int] | None) -> Card:
        card = choose_card(settings, size_hw, opened=lambda: LateCard(shim))
        assert card is not None
        return card

    monkeypatch.setattr(prepare, "choose_card", chosen)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For torch on small pictures: there threads wait for each other more than they work."""
    import cv2
    import torch

    threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])  # training takes OpenCV's threads away


@pytest.fixture
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """For short runs whose plots nobody looks at: to draw one takes longer than the steps that it shows."""
    from pullfocus.training import run_log

    monkeypatch.setattr(run_log, "plot_curves", Mock())


@pytest.fixture(scope="session")
def random_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One weight file of each encoder."""
    folder = tmp_path_factory.mktemp("model")
    return {
        encoder: write_random_model(folder / f"{encoder}.safetensors", encoder) for encoder in ("resnet18", "resnet50")
    }


@pytest.fixture(scope="session")
def random_model(random_models: dict[str, Path]) -> Path:
    return random_models["resnet18"]


def write_random_model(path: Path, encoder: str) -> Path:
    """A weight file of random weights and random batch-norm statistics, so that a wrong fold shows."""
    import torch
    from pullfocus.engines.network import DepthNet

    torch.manual_seed(1)
    net = DepthNet(encoder)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2.0)
    torch.nn.init.normal_(net.head.weight, std=0.3)  # a wide range of depth
    state = net.state_dict().items()
    tensors = {key: value.float().numpy() for key, value in state if not key.endswith("num_batches_tracked")}
    checkpoint.store(path, checkpoint.Checkpoint(encoder, tensors))
    return path
