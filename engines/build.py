"""Choose and make an engine; `auto` takes the fastest that works here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from ..kernels.api import Device, Quality
from ..kernels.errors import EngineError
from . import checkpoint
from .api import Engine, Say, to_stderr
from .finding import TORCH_ON_CUDA, Finding, find_gpu_engines, require, version_of
from .gpu import find_gpu, has_nvidia_hardware
from .switching import SwitchingEngine

DeviceChoice = Literal["auto", "cpu", "cuda"]
EngineChoice = Literal["auto", "tensorrt", "tensorrt-rtx", "torch", "openvino", "plane"]
Runtime = Literal["torch", "openvino"]  # those of the engines that compute a net on a CPU
Compiled = Literal["tensorrt", "tensorrt-rtx"]
COMPILED: tuple[str, ...] = get_args(Compiled)
CPU_ENGINES = ("openvino", "plane")


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What the user asked for. threads: of OpenVINO on the CPU, 0 = as many as there are cores.

    live: frames must come at once, so another engine runs while one is built; else the build is waited for, so that
    all frames come from the same engine.
    """

    engine: EngineChoice = "auto"
    device: DeviceChoice = "auto"
    model: str = "resnet18"
    quality: Quality = "fast"
    threads: int = 0
    live: bool = False


@dataclass(frozen=True, slots=True)
class _Choice:
    """An engine and where it runs."""

    name: str
    device: Device


def build(request: EngineRequest, say: Say = to_stderr) -> Engine:
    """The engine asked for. Raises EngineError, MissingExtraError, CheckpointError or InputError.

    say: is told, in a line each, why a better engine was not taken, and when one takes over from another.
    """
    if request.engine in CPU_ENGINES and request.device == "cuda":
        what = f"--engine {request.engine} runs on the CPU; got --device cuda"
        raise EngineError(f"{what}; use --engine torch or --device cpu")
    if request.engine in CPU_ENGINES or request.device == "cpu":
        return _make(request, _Choice(_cpu_engine(request), "cpu"), say)
    choices = _gpu_choices(request, say)
    return _chain(request, choices, say)


def _cpu_engine(request: EngineRequest) -> str:
    if request.engine in COMPILED:
        what = f"--engine {request.engine} runs on an NVIDIA GPU; got --device cpu"
        raise EngineError(f"{what}; use --engine openvino or --device cuda")
    return _best_cpu_engine() if request.engine == "auto" else request.engine


def _best_cpu_engine() -> Literal["openvino", "torch"]:
    for name in ("openvino", "torch"):
        if version_of(name) is not None:
            return name
    raise EngineError("no depth engine is installed; run: pip install openvino")


def _gpu_choices(request: EngineRequest, say: Say) -> list[_Choice]:
    """What may run, best first; the CPU last where the user did not rule it out. Raises EngineError."""
    found = find_gpu_engines()
    if request.engine != "auto":
        return [_demanded(request, found)]
    usable = [_Choice(_engine_name(one), "cuda") for one in found if one.usable]
    if request.device == "cuda":
        if not usable:
            raise EngineError(f"--device cuda: {found[-1].why}; use --device cpu or auto")
    else:
        usable.append(_Choice(_best_cpu_engine(), "cpu"))
    _say_what_is_missing(found, usable[0], say)
    return usable


def _demanded(request: EngineRequest, found: Sequence[Finding]) -> _Choice:
    one = next(one for one in found if _engine_name(one) == request.engine)
    if one.usable:
        return _Choice(request.engine, "cuda")
    if request.engine == "torch" and request.device == "auto":
        return _Choice("torch", "cpu")
    option = "--device cuda" if request.engine == "torch" else f"--engine {request.engine}"
    raise EngineError(f"{option}: {one.why}; use --device cpu or auto")


def _engine_name(found: Finding) -> str:
    return "torch" if found.name == TORCH_ON_CUDA else found.name


def _say_what_is_missing(found: Sequence[Finding], taken: _Choice, say: Say) -> None:
    """One line about the best engine that was not taken; none where there is no NVIDIA hardware."""
    best = found[0]
    if _engine_name(best) == taken.name or not (any(one.usable for one in found) or has_nvidia_hardware()):
        return
    where = "the CPU" if taken.device == "cpu" else "the GPU"
    # Where nothing runs on the GPU, the reason is the one that torch has: all others need more.
    missing = best if taken.device == "cuda" else found[-1]
    say(f"--engine auto takes {taken.name} on {where}, not {missing.name}: {missing.why}")


def _chain(request: EngineRequest, choices: Sequence[_Choice], say: Say) -> Engine:
    """The first of `choices`, with what takes over when it fails."""
    first, *others = choices
    if first.device == "cpu":
        return _make(request, first, say)
    otherwise = partial(_chain, request, others, say) if others else None
    try:
        return _switching(request, first, otherwise, say)
    except EngineError as error:
        if otherwise is None:
            raise
        say(f"{error}; {others[0].name} is tried instead")
        return otherwise()


def _switching(request: EngineRequest, choice: _Choice, otherwise: Callable[[], Engine] | None, say: Say) -> Engine:
    if choice.name == "torch":
        return SwitchingEngine(_make(request, choice, say), say, otherwise=otherwise, live=request.live)
    from .compiled import CompiledEngine
    from .runtime import runtime_of

    gpu = find_gpu()
    better = CompiledEngine(runtime_of(choice.name, gpu, say), gpu, _weights(request), request.quality)
    meanwhile = partial(_meanwhile, request, say) if request.live else None
    return SwitchingEngine(
        better, say, prepare=better.prepare, meanwhile=meanwhile, otherwise=otherwise, live=request.live
    )  # fmt: skip


def _meanwhile(request: EngineRequest, say: Say) -> Engine:
    """What runs while something better is built: torch on the GPU, or else the CPU."""
    on_gpu = any(one.name == TORCH_ON_CUDA and one.usable for one in find_gpu_engines())
    choices = [_Choice("torch", "cuda")] if on_gpu else []
    if not on_gpu or request.device == "auto":
        choices.append(_Choice(_best_cpu_engine(), "cpu"))
    return _chain(request, choices, say)


def _make(request: EngineRequest, choice: _Choice, say: Say) -> Engine:
    return _MAKERS[choice.name](request, choice.device, say)


def _make_torch(request: EngineRequest, device: Device, say: Say) -> Engine:
    require("torch", "train", "--engine torch")
    require("torchvision", "train", "--engine torch")
    from .torch_engine import TorchEngine

    return TorchEngine(_weights(request), device, request.quality, say)


def _make_openvino(request: EngineRequest, _device: Device, _say: Say) -> Engine:
    if version_of("openvino") is None:
        raise EngineError("--engine openvino: the package openvino is not installed; run: pip install openvino")
    from .openvino_engine import OpenVinoEngine

    return OpenVinoEngine(_weights(request), request.quality, threads=request.threads)


def _make_plane(request: EngineRequest, _device: Device, _say: Say) -> Engine:
    from .plane import PlaneEngine

    return PlaneEngine(request.quality)


_MAKERS: dict[str, Callable[[EngineRequest, Device, Say], Engine]] = {
    "torch": _make_torch,
    "openvino": _make_openvino,
    "plane": _make_plane,
}


def _weights(request: EngineRequest) -> Path:
    return checkpoint.locate(request.model)
