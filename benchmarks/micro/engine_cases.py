"""One case or more for each engine: who it is, whether it works here, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from ...engines import checkpoint
from ...engines.api import Engine
from ...engines.build import EngineRequest, build
from ...engines.finding import TORCH_ON_CUDA, Finding, find_engines
from ...kernels.api import Device, Quality
from ...kernels.errors import EngineError

MakeEngine: TypeAlias = Callable[[Quality], Engine]
FloatPrecision = Literal["f32", "bf16"]
MODEL = "resnet18"
QUALITIES: tuple[Quality, ...] = ("fast", "fine")


@dataclass(frozen=True, slots=True)
class EngineCase:
    """An engine in one of its ways. name: as `finding` names it; variant: tells it from others of the same name."""

    name: str
    variant: str
    precision: str
    device: Device
    make: MakeEngine
    missing: Callable[[], str | None] = lambda: None

    @property
    def label(self) -> str:
        return f"{self.name} {self.variant}".strip()

    def why_not(self) -> str | None:
        """What keeps it from running here; None: nothing."""
        found = _found()[self.name]
        return self.missing() if found.usable else f"{found.name}: {found.why}"


@cache
def _found() -> dict[str, Finding]:
    return {one.name: one for one in find_engines()}


def ready(engine: Engine, size_hw: tuple[int, int]) -> Engine:
    """`engine`, once all is built that it needs for pictures of this size."""
    settle: Callable[[tuple[int, int]], None] | None = getattr(engine, "settle", None)
    if settle is not None:
        settle(size_hw)
    return engine


def _openvino(precision: Literal["f32", "bf16", "int8"]) -> EngineCase:
    def make(quality: Quality) -> Engine:
        from ...engines.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(checkpoint.locate(MODEL), quality, precision)

    missing = _no_bf16 if precision == "bf16" else lambda: None
    return EngineCase("openvino", precision, precision, "cpu", make, missing)


def _no_bf16() -> str | None:
    import openvino as ov

    has = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return None if has else "openvino: this processor does not compute in bf16"


def _built(name: Any, precision: str, device: Device, finding: str | None = None, variant: str = "") -> EngineCase:
    """As `--engine` makes it. What takes over when it fails is no answer here: `name` is demanded."""

    def make(quality: Quality) -> Engine:
        return build(EngineRequest(engine=name, device=device, quality=quality), _refuse)

    return EngineCase(finding or name, variant, precision, device, make)


def _torch_eager(quality: Quality) -> Engine:
    """On CUDA, its kernels launched one by one: what the graph is measured against."""
    from ...engines.torch_engine import TorchEngine

    return TorchEngine(checkpoint.locate(MODEL), "cuda", quality, lambda _line: None, _no_graph)


def _no_graph(_step: Any) -> Any:
    raise RuntimeError("not wanted")


def _refuse(line: str) -> None:
    """Another engine than the one asked for, or one without its CUDA graph, must not be timed under its name."""
    raise EngineError(line)


CASES = (
    *map(_openvino, ("f32", "bf16", "int8")),
    _built("torch", "float32", "cpu"),
    _built("plane", "none", "cpu"),
    EngineCase(TORCH_ON_CUDA, "eager", "float16", "cuda", _torch_eager),
    _built("torch", "float16", "cuda", TORCH_ON_CUDA, "graph"),
    _built("tensorrt", "float16", "cuda"),
    _built("tensorrt-rtx", "float16", "cuda"),
)
