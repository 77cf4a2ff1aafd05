"""What does each depth net cost? Size, multiplications, and latency on every engine that this machine has.

    .venv/bin/python -m pullfocus.benchmarks.nets resnet18 RUN/resnet50.safetensors --json OUT

Nets and engines take turns, pass by pass, so that other load meets all of them alike.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

from ..engines import checkpoint, openvino_graph
from ..engines.atomic import write_text
from ..engines.checkpoint import Checkpoint
from ..engines.openvino_engine import OpenVinoEngine
from ..engines.shape import net_size
from ..kernels.api import InverseDepth, Picture
from ..training.tool import one_line_errors
from .arguments import count
from .machine import describe_machine
from .pictures_720p import SIZE_HW, panned_photo

WARM_UP = 5

Infer = Callable[[Picture], InverseDepth]


@dataclass(frozen=True, slots=True)
class NetCost:
    """numbers: weights and statistics. gmac: 10⁹ multiply-adds a pass at `size_hw`. latency_ms: engine → median."""

    encoder: str
    numbers: int
    file_mb: float
    size_hw: tuple[int, int]
    gmac: float
    latency_ms: dict[str, float] = field(default_factory=dict[str, float])


def multiply_adds(saved: Checkpoint, size_hw: tuple[int, int]) -> int:
    """Of all convolutions of one pass: output values × input channels × kernel area. Raises CheckpointError."""
    total = 0
    for node in openvino_graph.build(saved, size_hw).get_ordered_ops():
        if node.get_type_name() == "Convolution":
            _, inputs, height, width = node.input_value(1).get_shape()
            total += int(np.prod(node.get_output_shape(0))) * inputs * height * width
    return total


def measure(models: Sequence[str], passes: int) -> dict[str, NetCost]:
    """Model → its cost at 720p. Raises InputError, CheckpointError."""
    size_hw = net_size(*SIZE_HW, "fast")
    engines = {model: _engines(checkpoint.locate(model)) for model in models}
    pictures = [frame.picture8 for frame in panned_photo(passes + WARM_UP)]
    times_ms: dict[tuple[str, str], list[float]] = {(m, e): [] for m, found in engines.items() for e in found}
    for index, picture in enumerate(pictures):
        for (model, engine), values in times_ms.items():
            start_s = perf_counter()
            engines[model][engine](picture)
            if index >= WARM_UP:
                values.append((perf_counter() - start_s) * 1e3)
    return {model: _cost(model, size_hw, {e: v for (m, e), v in times_ms.items() if m == model}) for model in models}


def _engines(path: Path) -> dict[str, Infer]:
    found: dict[str, Infer] = {"openvino f32": OpenVinoEngine(path, precision="f32").infer}
    if openvino_graph.read_ranges(checkpoint.load(path)):
        found["openvino int8"] = OpenVinoEngine(path, precision="int8").infer
    if find_spec("torch") is not None:
        import torch

        from ..engines.torch_engine import TorchEngine

        found["torch f32, CPU"] = TorchEngine(path).infer
        if torch.cuda.is_available():
            found["torch fp16, CUDA"] = TorchEngine(path, "cuda").infer
    return found


def _cost(model: str, size_hw: tuple[int, int], times_ms: dict[str, list[float]]) -> NetCost:
    path = checkpoint.locate(model)
    saved = checkpoint.load(path)
    medians = {engine: round(float(np.median(values)), 2) for engine, values in times_ms.items()}
    gmac = multiply_adds(saved, size_hw) / 1e9
    return NetCost(saved.encoder, saved.size, round(path.stat().st_size / 1e6, 1), size_hw, round(gmac, 2), medians)


def _table(costs: dict[str, NetCost]) -> Table:
    table = Table("", *costs, box=None)
    table.add_row("numbers, M", *(f"{cost.numbers / 1e6:.1f}" for cost in costs.values()))
    table.add_row("file, MB", *(f"{cost.file_mb:.1f}" for cost in costs.values()))
    table.add_row("GMAC", *(f"{cost.gmac:.2f}" for cost in costs.values()))
    for engine in dict.fromkeys(engine for cost in costs.values() for engine in cost.latency_ms):
        values = (cost.latency_ms.get(engine) for cost in costs.values())
        table.add_row(f"{engine}, ms", *("–" if value is None else f"{value:.1f}" for value in values))
    return table


def main() -> None:
    """Print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="shipped nets or weight files")
    parser.add_argument("--passes", type=count, default=40, help="timed passes of each net and engine")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    costs = measure(arguments.models, arguments.passes)
    Console().print(_table(costs))
    if arguments.json:
        facts = {"passes": arguments.passes, "nets": {m: asdict(c) for m, c in costs.items()}, **describe_machine()}
        write_text(arguments.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
