"""One weight file for every engine: safetensors with fp16 or int8 tensors and a small header.

The keys are those of `network.DepthNet.state_dict()`. An int8 tensor KEY stands for KEY × KEY.scale,
with one float32 scale for each output channel (Krishnamoorthi 2018, arXiv:1806.08342): half the size
of the file. Loading never runs code from the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..kernels.errors import CheckpointError, InputError
from .atomic import make_folder, written_aside

FORMAT = "pullfocus-depth-1"
INVERSE_DEPTH = "inverse_depth"  # what a net's output means unless its file says otherwise
SHIPPED = ("resnet18",)
MODELS = "|".join((*SHIPPED, "PATH"))  # what `--model` takes, for its help
SCALE = ".scale"
ONLY_EVALUATE = "use it with `evaluate --engine torch` only"
Storage = Literal["float16", "int8"]  # of the convolutions; all else is float16


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


def load(path: Path, any_net: bool = False) -> Checkpoint:
    """Read a weight file. Raises CheckpointError when it is missing, damaged or not one of ours.

    any_net: also nets that the engines do not run: those that give something else than inverse depth, such
    as the report's, and those of another structure (note `variant`).
    """
    try:
        with safe_open(path, framework="numpy") as file:
            notes = dict(file.metadata() or {})
            if notes.get("format") != FORMAT:
                got = notes.get("format", "no format note")
                raise CheckpointError(f"{path}: got {got}, expected {FORMAT}; train one with `pullfocus train`")
            output = notes.get("output", INVERSE_DEPTH)
            if output != INVERSE_DEPTH and not any_net:
                raise CheckpointError(f"{path}: gives {output}, expected {INVERSE_DEPTH}; {ONLY_EVALUATE}")
            if notes.get("variant") and not any_net:
                raise CheckpointError(f"{path}: holds a trial net ({notes['variant']}); {ONLY_EVALUATE}")
            stored = {key: file.get_tensor(key) for key in list(file.keys())}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error
    return Checkpoint(notes.get("encoder", ""), _floats(stored, path), notes)


def store(path: Path, checkpoint: Checkpoint, storage: Storage = "float16") -> None:
    """Write `checkpoint`, whole or not at all. Raises OutputError, and CheckpointError for a net that has diverged."""
    tensors: dict[str, NDArray[np.generic]] = {}
    for key, tensor in checkpoint.tensors.items():
        if not np.isfinite(tensor).all():
            raise CheckpointError(
                f"{path}: not written: {key} is not finite, the net has diverged; lower the learning rate"
            )
        if storage == "int8" and tensor.ndim == 4:
            tensors[key], tensors[key + SCALE] = _to_int8(tensor)
        else:
            # The variances of a stem that saw 0–255 once do not fit into half precision.
            fits = float(np.abs(tensor).max(initial=0.0)) <= float(np.finfo(np.float16).max)
            tensors[key] = np.ascontiguousarray(tensor, dtype=np.float16 if fits else np.float32)
    notes = {**checkpoint.notes, "format": FORMAT, "encoder": checkpoint.encoder}
    make_folder(path.parent)
    with written_aside(path) as aside:
        aside.write_bytes(save(tensors, metadata=notes))


def _to_int8(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """(steps, scale): the largest number of each output channel becomes ±127."""
    largest = np.abs(weight).max(axis=(1, 2, 3), keepdims=True)
    scale = np.maximum(largest / 127.0, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


def _floats(stored: Mapping[str, NDArray[np.generic]], path: Path) -> dict[str, NDArray[np.float32]]:
    """What was stored, as float32. Raises CheckpointError."""
    tensors: dict[str, NDArray[np.float32]] = {}
    for key, tensor in stored.items():
        if key.endswith(SCALE):
            continue
        tensors[key] = tensor.astype(np.float32)
        if tensor.dtype == np.int8:
            scale = stored.get(key + SCALE, np.zeros(0, np.float32))
            if (
                tensor.ndim != 4
                or scale.shape != (len(tensor), 1, 1, 1)
                or not np.isfinite(scale.astype(np.float32)).all()
            ):
                raise CheckpointError(f"{path}: int8 tensor {key!r} has no scale for each channel; the file is damaged")
            tensors[key] *= scale.astype(np.float32)
    return tensors
