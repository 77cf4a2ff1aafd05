"""Which engine is taken, and what is said of those that are not. GPU and packages are played."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pullfocus.engines.api import Say
from pullfocus.engines.build import EngineRequest, build
from pullfocus.engines.finding import Finding, find_engines, find_rtx, find_torch_on_cuda
from pullfocus.engines.gpu import Gpu, has_nvidia_hardware
from pullfocus.engines.switching import SwitchingEngine
from pullfocus.kernels.errors import EngineError

from .fake_runtime import GPU, FakeRuntime


@pytest.mark.parametrize(
    ("built_for", "driver", "words"),
    [
        (None, (13, 0), "is built without CUDA"),
        ("13.0", (12, 4), "is built for CUDA 13.0, the driver runs CUDA 12.4 at most; update the NVIDIA driver"),
        ("12.8", (13, 0), "sees no NVIDIA GPU, though the driver sees NVIDIA Test 1"),
    ],
)
def test_a_torch_that_does_not_fit_the_driver_says_why(
    monkeypatch: pytest.MonkeyPatch, built_for: str | None, driver: tuple[int, int], words: str
) -> None:
    monkeypatch.setattr(torch.version, "cuda", built_for)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = find_torch_on_cuda(Gpu("NVIDIA Test 1", (8, 9), driver))
    assert not found.usable
    assert words in found.why


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str | None]], None]:
    """Pretend that packages are installed in a version, or not at all (None)."""
    real = importlib.metadata.version

    def pretend(versions: dict[str, str | None]) -> None:
        def version(name: str) -> str:
            told = versions.get(name, "") if name in versions else real(name)
            if told is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return told

        monkeypatch.setattr(importlib.metadata, "version", version)

    return pretend


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver, a GPU, and a torch that fits them."""
    monkeypatch.setattr("pullfocus.engines.finding.find_gpu", lambda: GPU)
    monkeypatch.setattr("pullfocus.engines.build.find_gpu", lambda: GPU)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.usefixtures("on_gpu")
@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({"torch-tensorrt": None}, "torch-tensorrt is not installed; run: pip install 'pullfocus[tensorrt]'"),
        (
            {"torch-tensorrt": "2.11.0", "torch": "2.14.0"},
            "does not go with torch 2.14.0; run: pip install 'torch-tensorrt==2.14.*'",
        ),
        ({"torch-tensorrt": "2.14.0", "torch": "2.14.0"}, "cannot be imported (No module named 'torch_tensorrt')"),
    ],
)
def test_a_tensorrt_that_is_missing_says_why(installed: Any, versions: dict[str, str | None], words: str) -> None:
    installed(versions)
    found = find_engines()[0]
    assert (found.name, found.usable) == ("tensorrt", False)
    assert words in found.why


@pytest.mark.parametrize(("capability", "usable"), [((8, 6), True), ((12, 0), True), ((9, 0), False), ((7, 0), False)])
def test_tensorrt_for_rtx_takes_some_cards(installed: Any, capability: tuple[int, int], usable: bool) -> None:
    installed({"onnxruntime-ep-nv-tensorrt-rtx-cu13": "0.5.0"})
    found = find_rtx(Gpu("NVIDIA Test 1", capability, (13, 0)))
    assert found.usable == usable, found.why
    installed({"onnxruntime-ep-nv-tensorrt-rtx-cu13": None})
    assert "its plug-in is not installed; run: pip install 'pullfocus[tensorrt-rtx]'" in find_rtx(GPU).why


def no_gpu() -> Gpu:
    raise EngineError("no NVIDIA driver (libcuda) was found")


@pytest.mark.parametrize("hardware", [True, False])
def test_auto_says_nothing_where_there_is_no_nvidia_hardware(
    monkeypatch: pytest.MonkeyPatch, random_model: Path, hardware: bool
) -> None:
    monkeypatch.setattr("pullfocus.engines.finding.find_gpu", no_gpu)
    monkeypatch.setattr("pullfocus.engines.build.has_nvidia_hardware", lambda: hardware)
    said = list[str]()
    assert build(EngineRequest(model=str(random_model)), said.append).name == "openvino"
    line = "--engine auto takes openvino on the CPU, not torch on CUDA: no NVIDIA driver (libcuda) was found"
    assert said == ([line] if hardware else [])


class _OnCpu:
    """Findings that name torch on CUDA usable, and an engine for it that needs no GPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, usable: set[str]) -> None:
        names = ("tensorrt", "tensorrt-rtx", "torch on CUDA")
        found = [Finding(name, name in usable, "here" if name in usable else "not installed") for name in names]
        monkeypatch.setattr("pullfocus.engines.build.find_gpu_engines", lambda: found)
        monkeypatch.setattr("pullfocus.engines.build.find_gpu", lambda: GPU)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        self.runtime = FakeRuntime()
        monkeypatch.setattr("pullfocus.engines.runtime.runtime_of", self._runtime_of)

    def _runtime_of(self, name: str, gpu: Gpu, say: Say) -> FakeRuntime:
        del say
        assert gpu == GPU
        if self.runtime.fault is not None:
            raise EngineError(f"{name}: {self.runtime.fault}")
        self.runtime.name = name
        return self.runtime


def test_auto_takes_the_fastest_that_works(monkeypatch: pytest.MonkeyPatch, random_model: Path) -> None:
    request, said = EngineRequest(model=str(random_model)), list[str]()
    _OnCpu(monkeypatch, {"tensorrt", "tensorrt-rtx", "torch on CUDA"})
    assert build(request, said.append).name == "tensorrt"
    assert said == []
    _OnCpu(monkeypatch, {"tensorrt-rtx", "torch on CUDA"})
    assert build(request, said.append).name == "tensorrt-rtx"
    assert said == ["--engine auto takes tensorrt-rtx on the GPU, not tensorrt: not installed"]


def test_an_engine_that_cannot_be_made_gives_way_unless_it_was_demanded(
    monkeypatch: pytest.MonkeyPatch, random_model: Path
) -> None:
    playing, said = _OnCpu(monkeypatch, {"tensorrt-rtx"}), list[str]()
    playing.runtime.fault = "its plug-in does not take this GPU"
    engine = build(EngineRequest(model=str(random_model)), said.append)
    assert engine.name == "openvino"
    assert said[-1] == "tensorrt-rtx: its plug-in does not take this GPU; openvino is tried instead"
    for request in (EngineRequest("tensorrt-rtx"), EngineRequest(device="cuda")):
        with pytest.raises(EngineError, match="its plug-in does not take this GPU"):
            build(request, said.append)


def test_a_build_runs_beside_the_cpu_where_torch_has_no_gpu(
    monkeypatch: pytest.MonkeyPatch, random_model: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULLFOCUS_ENGINES", str(tmp_path))
    _OnCpu(monkeypatch, {"tensorrt-rtx"})
    engine = build(EngineRequest("tensorrt-rtx", model=str(random_model), live=True))
    assert isinstance(engine, SwitchingEngine)
    assert engine.name == "tensorrt-rtx"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (EngineRequest("tensorrt"), "--engine tensorrt: not installed; use --device cpu or auto"),
        (EngineRequest("tensorrt-rtx", "cuda"), "--engine tensorrt-rtx: not installed"),
        (EngineRequest("torch", "cuda"), "--device cuda: not installed; use --device cpu"),
        (EngineRequest("auto", "cuda"), "--device cuda: not installed; use --device cpu"),
        (EngineRequest("tensorrt", "cpu"), "--engine tensorrt runs on an NVIDIA GPU; got --device cpu"),
    ],
)
def test_what_was_demanded_and_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, request_: EngineRequest, words: str
) -> None:
    _OnCpu(monkeypatch, set())
    with pytest.raises(EngineError, match=words):
        build(request_)


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux lists its devices")
def test_this_machine_answers() -> None:
    assert has_nvidia_hardware() in (True, False)
    assert [one.name for one in find_engines()][:3] == ["tensorrt", "tensorrt-rtx", "torch on CUDA"]
