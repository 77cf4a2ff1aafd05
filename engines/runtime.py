"""What compiles our net for a GPU, and runs what it compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from ..kernels.api import InverseDepth, Picture
from ..kernels.errors import EngineError
from .api import Say, to_stderr
from .finding import RTX_PACKAGES, TENSORRT_PACKAGES, version_of
from .gpu import Gpu
from .store import Manifest, file_sha256

CompiledName: TypeAlias = str  # "tensorrt" or "tensorrt-rtx"
Tell: TypeAlias = Callable[[str], None]  # is told the stage that a build is at
Net: TypeAlias = Callable[[Picture], InverseDepth]  # `h w 3` uint8 of the very size → `h w` float32

# What decides a compiled engine besides the net: raise it when what we give to the compilers changes.
RECIPE = "1"
PRECISION = "float16"
PACKAGES: dict[CompiledName, dict[str, tuple[str, ...]]] = {
    "tensorrt": {"torch": ("torch",), "torch-tensorrt": ("torch-tensorrt",), "tensorrt": TENSORRT_PACKAGES},
    "tensorrt-rtx": {"onnxruntime": ("onnxruntime",), "plug-in": RTX_PACKAGES},
}


class GpuRuntime(Protocol):
    """One per process. All methods raise EngineError, in one line, for whatever their library throws."""

    @property
    def name(self) -> CompiledName: ...

    @property
    def detail(self) -> str:
        """Version, precision and GPU in a few words."""
        ...

    def compile(self, model: Path, size_hw: tuple[int, int], tell: Tell) -> bytes:
        """The net of `model` for pictures of `size_hw`, serialized. Takes many seconds."""
        ...

    def load(self, data: bytes, size_hw: tuple[int, int]) -> Net:
        """What `compile` gave, ready to run; the net is for one thread."""
        ...


def runtime_of(name: CompiledName, gpu: Gpu, say: Say = to_stderr) -> GpuRuntime:
    """The runtime `name`, on `gpu`. say: is told of what it cannot do here. Raises EngineError."""
    if name == "tensorrt":
        from .tensorrt_runtime import TensorRtRuntime

        return TensorRtRuntime(gpu)
    from .rtx_runtime import RtxRuntime

    return RtxRuntime(gpu, say=say)


def surroundings(name: CompiledName, gpu: Gpu) -> dict[str, str]:
    """All that decides an engine but net and size: GPU, precision and versions. Imports nothing."""
    versions = {key: version_of(*packages) or "none" for key, packages in PACKAGES[name].items()}
    here = {"engine": name, "precision": PRECISION, "GPU": gpu.name, "compute capability": gpu.sm}
    return {**here, **versions, "pullfocus": version_of("pullfocus") or "none", "recipe": RECIPE}


def facts_of(name: CompiledName, gpu: Gpu, model: Path, size_hw: tuple[int, int]) -> dict[str, str]:
    """The key of the store. Raises EngineError where the weights cannot be read."""
    try:
        weights = file_sha256(model)
    except OSError as error:
        raise EngineError(f"{model}: the weights cannot be read ({error.strerror})") from error
    return {**surroundings(name, gpu), "weights": weights, "net": net_name(size_hw)}


def net_name(size_hw: tuple[int, int]) -> str:
    """Height × width in pixels, as in a file's name.

    >>> net_name((192, 352))
    '192x352'
    """
    return f"{size_hw[0]}x{size_hw[1]}"


def net_of_name(name: str) -> tuple[int, int] | None:
    """What `net_name` was given; None for what it never gave."""
    parts = name.split("x")
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(part.isdigit() for part in parts) else None


def why_stale(manifest: Manifest, gpu: Gpu) -> str | None:
    """What has changed since an engine was built; None: nothing."""
    then, size_hw = manifest.facts, net_of_name(manifest.facts.get("net", ""))
    if then.get("engine") not in PACKAGES or size_hw is None:
        return "made by another version of pullfocus"
    model = Path(manifest.notes.get("model", ""))
    if not model.is_file():
        return f"its weight file {model} is gone"
    now = facts_of(then["engine"], gpu, model, size_hw)
    for key in now:
        if then.get(key) != now[key]:
            changed = f"built with {then.get(key, 'none')}, now {now[key]}"
            return f"the weights {model} have changed" if key == "weights" else f"{key}: {changed}"
    return None
