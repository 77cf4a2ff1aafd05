"""What is installed and usable here, and if not, why and what to do."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
from dataclasses import dataclass

from ..kernels.errors import EngineError, MissingExtraError
from .gpu import Gpu, find_gpu

TORCH_ON_CUDA = "torch on CUDA"
RTX_CAPABILITIES = "7.5, 8.6, 8.9 and 12.x"  # NVIDIA's support matrix of TensorRT for RTX
RTX_PACKAGES = (
    "onnxruntime-ep-nv-tensorrt-rtx-cu13",
    "onnxruntime-ep-nv-tensorrt-rtx-cu12",
    "onnxruntime-ep-nv-tensorrt-rtx",
)
TENSORRT_PACKAGES = ("tensorrt", "tensorrt-cu13", "tensorrt-cu12")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `pullfocus doctor`: is `name` usable here, and why (not)."""

    name: str
    usable: bool
    why: str


def find_engines() -> list[Finding]:
    """What is usable on this machine, best first."""
    return [*find_gpu_engines(), find_package("openvino"), find_torch(), Finding("plane", True, "no net")]


def find_gpu_engines() -> list[Finding]:
    """Those that need an NVIDIA GPU, fastest first."""
    try:
        gpu = find_gpu()
    except EngineError as error:
        return [Finding(name, False, str(error)) for name in ("tensorrt", "tensorrt-rtx", TORCH_ON_CUDA)]
    torch = find_torch_on_cuda(gpu)
    return [_find_tensorrt(torch), find_rtx(gpu), torch]


def version_of(*packages: str) -> str | None:
    """The version of the first of `packages` that is installed."""
    for package in packages:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def require(package: str, extra: str, purpose: str) -> None:
    """Raises MissingExtraError, which names the pip command, when `package` is not installed."""
    if version_of(package) is None:
        raise MissingExtraError(package, extra, purpose)


def find_package(package: str, extra: str = "") -> Finding:
    """Is `package` installed, and if not, how to get it (extra: which of ours brings it)."""
    version = version_of(package)
    if version is None:
        how = f"pip install 'pullfocus[{extra}]'" if extra else f"pip install {package}"
        return Finding(package, False, f"not installed; run: {how}")
    return Finding(package, True, version)


def find_torch() -> Finding:
    """On the CPU."""
    torch, torchvision = find_package("torch", "train"), find_package("torchvision", "train")
    if torch.usable and not torchvision.usable:
        return Finding("torch", False, f"torchvision is {torchvision.why}")
    return torch


def find_torch_on_cuda(gpu: Gpu) -> Finding:
    """Imports torch, if it is installed."""
    for package in ("torch", "torchvision"):
        found = find_package(package, "train")
        if not found.usable:
            return Finding(TORCH_ON_CUDA, False, f"{package} is {found.why}")
    torch = importlib.import_module("torch")
    name = f"torch {version_of('torch')}"
    built_for: str | None = torch.version.cuda
    if built_for is None:
        return Finding(TORCH_ON_CUDA, False, f"{name} is built without CUDA; install it as pytorch.org says for CUDA")
    if int(built_for.split(".")[0]) > gpu.cuda[0]:
        newest = f"{gpu.cuda[0]}.{gpu.cuda[1]}"
        why = f"{name} is built for CUDA {built_for}, the driver runs CUDA {newest} at most; update the NVIDIA driver"
        return Finding(TORCH_ON_CUDA, False, f"{why}, or install a torch for CUDA {gpu.cuda[0]}")
    if not torch.cuda.is_available():
        return Finding(TORCH_ON_CUDA, False, f"{name} sees no NVIDIA GPU, though the driver sees {gpu.name}")
    return Finding(TORCH_ON_CUDA, True, f"{gpu.name}, {name}")


def _find_tensorrt(torch: Finding) -> Finding:
    ours, theirs = version_of("torch-tensorrt"), version_of("torch") or ""
    if ours is None:
        return Finding("tensorrt", False, "torch-tensorrt is not installed; run: pip install 'pullfocus[tensorrt]'")
    if not torch.usable:
        return Finding("tensorrt", False, torch.why)
    release = ".".join(theirs.split(".")[:2])
    if ours.split(".")[:2] != theirs.split(".")[:2]:
        fix = f"pip install 'torch-tensorrt=={release}.*'"
        return Finding("tensorrt", False, f"torch-tensorrt {ours} does not go with torch {theirs}; run: {fix}")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its failures
            importlib.import_module("torch_tensorrt")
    except Exception as error:  # it raises bare Exceptions, and OSErrors for libraries
        first = " ".join(str(error).split())[:160]
        why = f"torch-tensorrt {ours} cannot be imported ({first}); its TensorRT libraries may be missing"
        return Finding("tensorrt", False, f"{why}: run: pip install --force-reinstall 'pullfocus[tensorrt]'")
    return Finding("tensorrt", True, f"TensorRT {version_of(*TENSORRT_PACKAGES)}, torch-tensorrt {ours}")


def find_rtx(gpu: Gpu) -> Finding:
    """TensorRT for RTX as a plug-in of ONNX Runtime; imports neither."""
    plugin = version_of(*RTX_PACKAGES)
    parts = {"onnx": version_of("onnx"), "onnxruntime": version_of("onnxruntime"), "its plug-in": plugin}
    for part, version in parts.items():
        if version is None:
            why = f"{part} is not installed; run: pip install 'pullfocus[tensorrt-rtx]'"
            return Finding("tensorrt-rtx", False, why)
    if gpu.capability not in ((7, 5), (8, 6), (8, 9)) and gpu.capability[0] != 12:
        why = f"got a GPU of compute capability {gpu.sm} ({gpu.name}), TensorRT for RTX takes {RTX_CAPABILITIES}"
        return Finding("tensorrt-rtx", False, why)
    return Finding("tensorrt-rtx", True, f"plug-in {plugin}, ONNX Runtime {version_of('onnxruntime')}")
