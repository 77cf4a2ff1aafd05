"""Do the picture's edges mend depth on real pictures, too?

    .venv/bin/python -m pullfocus.benchmarks.edges DATA/test_edges.csv --json OUT

Pictures with measured depth, which has sharp edges. That depth made as bad as a net's (four times smaller, soft,
shifted, noisy), and the shipped net's own: each is enlarged bilinearly (`Kernels.resize`) and with the picture's edges
(`Kernels.upsample`), and compared with the measurement, near its edges and elsewhere. The net's depth is first fitted
to the measurement by scale and shift.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from ..engines.api import Engine, label
from ..engines.atomic import write_text
from ..engines.build import EngineRequest, build
from ..kernels.api import InverseDepth, Kernels, Picture, load
from ..training.data import Sample, open_labelled
from ..training.metrics import align, boundary_f1, edge_ratio
from ..training.metrics.boundary import filled
from ..training.scoring import json_figures, known_mean
from ..training.tool import one_line_errors
from .machine import describe_machine
from .truth import as_a_net_tells, edge_band

BAND_PX = 10
MADE_BAD, NET = "made bad", "net"  # where the depth comes from
Enlarge = Callable[[Kernels, InverseDepth, Picture], InverseDepth]

ENLARGERS: dict[str, Enlarge] = {
    "bilinear": lambda kernels, depth, picture: kernels.resize(depth, (picture.shape[0], picture.shape[1])),
    "picture's edges": lambda kernels, depth, picture: kernels.upsample(depth, picture),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one picture, or means over several; NaN where there is nothing to measure.

    Of inverse depth, 0 is perfect: mae_near and mae_away are mean errors within BAND_PX of an edge of the measurement
    and farther away; wrong_near is the share of the pixels near an edge that are off by more than half of the step
    there: the measurement's range around. edge_ratio and boundary_f1: as `training.metrics`.
    """

    mae_near: float
    wrong_near: float
    mae_away: float
    edge_ratio: float
    boundary_f1: float


def figures(inverse_depth: InverseDepth, target: InverseDepth) -> Figures:
    """inverse_depth: `h w`, on the target's scale. target: measured inverse depth, NaN = none."""
    measured = np.isfinite(target)
    whole = without_holes(target)
    window = np.ones((2 * BAND_PX + 3,) * 2, np.uint8)  # both sides of a step, from the ends of the band too
    step = cv2.dilate(whole, window) - cv2.erode(whole, window)
    error, band = np.abs(inverse_depth - whole), edge_band(whole, BAND_PX)
    near, away = band & measured, ~band & measured
    return Figures(
        mae_near=float(error[near].mean()) if near.any() else float("nan"),
        wrong_near=float((error > step / 2.0)[near].mean()) if near.any() else float("nan"),
        mae_away=float(error[away].mean()) if away.any() else float("nan"),
        edge_ratio=edge_ratio(inverse_depth, target),
        boundary_f1=boundary_f1(inverse_depth, target),
    )


def without_holes(target: InverseDepth) -> InverseDepth:
    """What was not measured takes the nearest measured value."""
    return filled(target.astype(np.float64), np.isfinite(target)).astype(np.float32)


def measure(samples: Sequence[Sample], engine: Engine | None) -> dict[str, dict[str, dict[str, Figures]]]:
    """Where the depth comes from → how it is enlarged → picture → figures. Raises DataError.

    engine: None leaves the net's depth out.
    """
    kernels = load("cpu")
    found: dict[str, dict[str, dict[str, Figures]]] = {
        source: {how: {} for how in ENLARGERS} for source in ((MADE_BAD, NET) if engine else (MADE_BAD,))
    }
    for sample in samples:
        pair = sample.read()
        made_bad = as_a_net_tells(without_holes(pair.target))
        inferred = None if engine is None else engine.infer(pair.image)
        for how, enlarge in ENLARGERS.items():
            full = enlarge(kernels, made_bad, pair.image)
            found[MADE_BAD][how][sample.name] = figures(full, pair.target)
            if inferred is None:
                continue
            fitted = align(enlarge(kernels, inferred, pair.image), pair.target).astype(np.float32)
            found[NET][how][sample.name] = figures(fitted, pair.target)
    return found


def mean(by_picture: Mapping[str, Figures]) -> Figures:
    """Over the pictures that can give a figure."""
    names = (field.name for field in fields(Figures))
    return Figures(*(known_mean([getattr(value, name) for value in by_picture.values()]) for name in names))


def table(found: Mapping[str, Mapping[str, Mapping[str, Figures]]]) -> Table:
    """The means, a line for each source of depth and each way to enlarge it."""
    result = Table("depth", "enlarged", *(field.name for field in fields(Figures)), box=None)
    for source, by_way in found.items():
        for how, by_picture in by_way.items():
            result.add_row(source, how, *(f"{value:.4f}" for value in asdict(mean(by_picture)).values()))
    return result


def facts(found: Mapping[str, Mapping[str, Mapping[str, Figures]]]) -> dict[str, object]:
    """All figures, and their means, as JSON can say them."""
    return {
        source: {
            how: {"mean": json_figures(asdict(mean(by_picture)))}
            | {name: json_figures(asdict(value)) for name, value in by_picture.items()}
            for how, by_picture in by_way.items()
        }
        for source, by_way in found.items()
    }


def main() -> None:
    """Print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "data", type=Path, help="a set of pictures with measured depth, as `pullfocus evaluate` takes it"
    )
    parser.add_argument("--quality", choices=("fast", "fine"), default="fast", help="size at which the net looks")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    engine = build(EngineRequest(device="cpu", quality=options.quality))
    found = measure(open_labelled([options.data], "test"), engine)
    Console().print(table(found))
    if options.json is not None:
        asked = {"set": options.data.name, "net": label(engine), "quality": options.quality, "band_px": BAND_PX}
        write_text(options.json, json.dumps(asked | {"figures": facts(found)} | describe_machine(), indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        main()
