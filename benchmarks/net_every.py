"""How far is depth between the net's frames from what the net itself would say there?

    .venv/bin/python -m pullfocus.benchmarks.net_every CLIP... --json OUT

The net runs on every frame for comparison. Depth that is moved along with the picture is set against depth that is
only held; over the whole picture most of both errors is the net's own noise, so the error where depth really changes
(where one of the two is off by more than MOVED) is given too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ..engines.api import label
from ..engines.atomic import write_text
from ..engines.build import EngineRequest, build
from ..kernels.api import InverseDepth, Picture, load
from ..stream.steady import DepthMemory
from ..stream.video_in import VideoSource
from ..training.tool import one_line_errors
from .arguments import count
from .machine import describe_machine

EVERY = (2, 4)
MOVED = 0.05  # of inverse depth


@dataclass(frozen=True, slots=True)
class Drift:
    """Mean |inverse depth − the net's| on the frames where the net was not asked, everywhere and where depth moved."""

    held: float
    followed: float
    held_where_moved: float
    followed_where_moved: float


def drift(pictures: Sequence[Picture], depths: Sequence[InverseDepth], every: int) -> Drift:
    """depths: the net's, of every picture."""
    memory, last = DepthMemory(load("cpu"), steady=False, net_every=every), depths[0]
    errors: dict[str, list[float]] = {name: [] for name in Drift.__slots__}
    for index, (picture, depth) in enumerate(zip(pictures, depths, strict=True)):
        due = index % every == 0
        followed = memory.update(picture, depth if due else None)
        if due:
            last = depth
            continue
        moved = np.maximum(np.abs(last - depth), np.abs(followed - depth)) > MOVED
        for name, guess in (("held", last), ("followed", followed)):
            error = np.abs(guess - depth)
            errors[name].append(float(error.mean()))
            if moved.any():
                errors[f"{name}_where_moved"].append(float(error[moved].mean()))
    return Drift(**{name: float(np.mean(values)) if values else 0.0 for name, values in errors.items()})


def main() -> None:
    """Print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--frames", type=count, default=90, help="of each clip")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    engine, found = build(EngineRequest("openvino")), dict[str, dict[str, Drift]]()
    for clip in options.clips:
        with VideoSource(str(clip)) as source:
            pictures = [frame.picture8 for frame in islice(source.frames(), options.frames)]
        depths = [engine.infer(picture) for picture in pictures]
        found[clip.name] = {f"--net-every {every}": drift(pictures, depths, every) for every in EVERY}
    table = Table("clip", "N", *(name.replace("_", " ") for name in Drift.__slots__), box=None)
    for clip, drifts in found.items():
        for every, each in drifts.items():
            table.add_row(Path(clip).stem, every.split()[-1], *(f"{value:.4f}" for value in asdict(each).values()))
    Console().print(table)
    if options.json is not None:
        figures = {clip: {every: asdict(each) for every, each in drifts.items()} for clip, drifts in found.items()}
        facts = {"clips": figures, "engine": label(engine), "environment": describe_machine()}
        write_text(options.json, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
