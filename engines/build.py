"""Choose and make an engine; `auto` takes the fastest that is installed."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..kernels.api import Device, Quality
from ..kernels.errors import EngineError, MissingExtraError
from . import checkpoint
from .api import Engine

DeviceChoice = Literal["auto", "cpu", "cuda"]
EngineChoice = Literal["auto", "torch", "openvino", "plane"]
Runtime = Literal["torch", "openvino"]  # those of the engines that compute a net


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What the user asked for. threads: of OpenVINO on the CPU, 0 = as many as there are cores."""

    engine: EngineChoice = "auto"
    device: DeviceChoice = "auto"
    model: str = "resnet18"
    quality: Quality = "fast"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `pullfocus doctor`: is `name` usable here, and why (not)."""

    name: str
    usable: bool
    why: str


def build(request: EngineRequest) -> Engine:
    """The engine asked for. Raises EngineError, MissingExtraError, CheckpointError or InputError."""
    device = _device(request)
    name = request.engine
    if name == "auto":
        name = "torch" if device == "cuda" else _best_cpu_engine()
    if device == "cuda" and name != "torch":
        raise EngineError(f"--engine {name} runs on the CPU; got --device cuda; use --engine torch or --device cpu")
    return _MAKERS[name](request, device)


def find_engines() -> list[Finding]:
    """What is usable on this machine, best first."""
    return [_find_cuda(), find_package("openvino"), _find_torch(), Finding("plane", True, "no net")]


def _device(request: EngineRequest) -> Device:
    if request.device == "cpu" or request.engine in ("openvino", "plane"):
        return "cuda" if request.device == "cuda" else "cpu"
    cuda = _find_cuda()
    if request.device == "cuda" and not cuda.usable:
        raise EngineError(f"--device cuda: {cuda.why}; use --device cpu or auto")
    return "cuda" if cuda.usable else "cpu"


def _best_cpu_engine() -> Literal["openvino", "torch"]:
    for name in ("openvino", "torch"):
        if _version(name) is not None:
            return name
    raise EngineError("no depth engine is installed; run: pip install openvino")


def _make_torch(request: EngineRequest, device: Device) -> Engine:
    require("torch", "train", "--engine torch")
    require("torchvision", "train", "--engine torch")
    from .torch_engine import TorchEngine

    return TorchEngine(_weights(request), device, request.quality)


def _make_openvino(request: EngineRequest, _device: Device) -> Engine:
    if _version("openvino") is None:
        raise EngineError("--engine openvino: the package openvino is not installed; run: pip install openvino")
    from .openvino_engine import OpenVinoEngine

    return OpenVinoEngine(_weights(request), request.quality, threads=request.threads)


def _make_plane(request: EngineRequest, _device: Device) -> Engine:
    from .plane import PlaneEngine

    return PlaneEngine(request.quality)


_MAKERS: dict[str, Callable[[EngineRequest, Device], Engine]] = {
    "torch": _make_torch,
    "openvino": _make_openvino,
    "plane": _make_plane,
}


def _weights(request: EngineRequest) -> Path:
    return checkpoint.locate(request.model)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def require(package: str, extra: str, purpose: str) -> None:
    """Raises MissingExtraError, which names the pip command, when `package` is not installed."""
    if _version(package) is None:
        raise MissingExtraError(package, extra, purpose)


def find_package(package: str, extra: str = "") -> Finding:
    """Is `package` installed, and if not, how to get it (extra: which of ours brings it)."""
    version = _version(package)
    if version is None:
        how = f"pip install 'pullfocus[{extra}]'" if extra else f"pip install {package}"
        return Finding(package, False, f"not installed; run: {how}")
    return Finding(package, True, version)


def _find_torch() -> Finding:
    torch, torchvision = find_package("torch", "train"), find_package("torchvision", "train")
    if torch.usable and not torchvision.usable:
        return Finding("torch", False, f"torchvision is {torchvision.why}")
    return torch


def _find_cuda() -> Finding:
    # The driver first: importing torch costs seconds and 700 MB, too much to learn that there is no GPU.
    if find_library("nvcuda" if sys.platform == "win32" else "cuda") is None:
        return Finding("torch on CUDA", False, "no NVIDIA driver (libcuda) was found")
    for package in ("torch", "torchvision"):
        found = find_package(package, "train")
        if not found.usable:
            return Finding("torch on CUDA", False, f"{package} is {found.why}")
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        return Finding("torch on CUDA", False, f"torch {_version('torch')} sees no NVIDIA GPU or driver")
    return Finding("torch on CUDA", True, f"{torch.cuda.get_device_name(0)}, torch {_version('torch')}")
