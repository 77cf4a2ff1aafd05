"""One weight file for every engine: safetensors with fp16 tensors and a small header.

The keys are those of `network.DepthNet.state_dict()`. Loading never runs code from the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..kernels.errors import CheckpointError, InputError
from .atomic import make_folder, written_aside

FORMAT = "pullfocus-depth-1"
INVERSE_DEPTH = "inverse_depth"  # what a net's output means unless its file says otherwise
SHIPPED = ("resnet18",)


@dataclass(frozen=True, slots=True, repr=False)
class Checkpoint:
    """The tensors of one net, as float32, and what made them."""

    encoder: str
    tensors: Mapping[str, NDArray[np.float32]]
    notes: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(t.size for t in self.tensors.values())

    def __repr__(self) -> str:
        return f"Checkpoint({self.encoder}, {self.size / 1e6:.1f} M numbers)"


def locate(model: str) -> Path:
    """The weight file that `--model` names: a shipped net's name or a path. Raises InputError."""
    if model in SHIPPED:
        return Path(str(files("pullfocus.engines").joinpath("weights", f"{model}.safetensors")))
    path = Path(model)
    if not path.is_file():
        raise InputError(f"--model {model}: no such file; expected {', '.join(SHIPPED)} or a .safetensors file")
    return path


def load(path: Path, any_output: bool = False) -> Checkpoint:
    """Read a weight file. Raises CheckpointError when it is missing, damaged or not one of ours.

    any_output: also nets that give something else than inverse depth, such as the report's.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            notes = dict(file.metadata() or {})
            if notes.get("format") != FORMAT:
                got = notes.get("format", "no format note")
                raise CheckpointError(f"{path}: got {got}, expected {FORMAT}; train one with `pullfocus train`")
            output = notes.get("output", INVERSE_DEPTH)
            if output != INVERSE_DEPTH and not any_output:
                raise CheckpointError(f"{path}: gives {output}, expected {INVERSE_DEPTH}; use it with `evaluate` only")
            tensors = {key: file.get_tensor(key).astype(np.float32) for key in list(file.keys())}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error
    return Checkpoint(notes.get("encoder", ""), tensors, notes)


def store(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` as fp16, whole or not at all. Raises OutputError."""
    tensors = {key: np.ascontiguousarray(t, dtype=np.float16) for key, t in checkpoint.tensors.items()}
    notes = {**checkpoint.notes, "format": FORMAT, "encoder": checkpoint.encoder}
    make_folder(path.parent)
    with written_aside(path) as aside:
        aside.write_bytes(save(tensors, metadata=notes))
