"""What the net must compute for a picture, told from its weight file."""

from __future__ import annotations

from ...engines import checkpoint
from ...engines.shape import net_size
from ..nets import multiply_adds
from .floors import NetFacts
from .rates import KINDS, Kind

BYTES: dict[Kind, int] = {"f32": 4, "bf16": 2, "int8": 1}


def net_facts(model: str, size_hw: tuple[int, int], quality: str, detail: str) -> NetFacts:
    """detail: of the engine, which names the kind of numbers it multiplies. Raises CheckpointError."""
    saved, at = checkpoint.load(checkpoint.locate(model)), net_size(*size_hw, quality)
    return NetFacts(at, multiply_adds(saved, at), saved.size, BYTES[kind_of(detail)])


def kind_of(detail: str) -> Kind:
    """Of an engine on the CPU: `OpenVINO 2026.4.1, int8, CPU` → int8."""
    found: list[Kind] = [kind for kind in KINDS if f" {kind}," in detail]
    return found[0] if found else "f32"
