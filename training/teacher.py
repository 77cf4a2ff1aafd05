"""Label unlabelled pictures: `python -m pullfocus.training.teacher people.csv --teacher T.onnx -o OUT.csv`.

The teacher is TCMonoDepth-small (Li et al. 2021, MIT licence): relative inverse depth, so its labels
are of the kind `disparity` and train scale-and-shift-invariant terms only.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import openvino as ov
import typer
from numpy.typing import NDArray

from .data import read_rgb
from .tool import run_tool, write_picture

LICENCES = ("clean", "repo-permissive")


def label(image: NDArray[np.uint8], teacher: ov.CompiledModel) -> NDArray[np.uint16]:
    """Relative inverse depth of an `h w 3` uint8 RGB picture, `h w` uint16 in 1…65535, brighter = nearer."""
    _, _, height, width = teacher.input(0).shape
    x = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    depth = np.squeeze(teacher(x.transpose(2, 0, 1)[None])[0])
    depth = (depth - depth.min()) / max(float(np.ptp(depth)), 1e-6)
    full = cv2.resize(depth, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return (1.0 + 65534.0 * full).astype(np.uint16)


def main(
    listing: Annotated[Path, typer.Argument(help="csv with columns name, clip, licence_class, beside its folder")],
    teacher: Annotated[Path, typer.Option(help="TCMonoDepth-small as ONNX")],
    out: Annotated[Path, typer.Option("--out", "-o", help="csv of the labelled set to write")],
) -> None:
    """Write a labelled set that training reads; only pictures with a clean or permissive licence."""
    net = ov.Core().compile_model(teacher, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    with listing.open(newline="", encoding="utf-8") as file:
        wanted = [r for r in csv.DictReader(file) if r["licence_class"] in LICENCES]
    with out.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("name", "source", "depth_kind", "sequence"))
        for record in wanted:
            source = listing.with_suffix("") / record["name"]
            image = read_rgb(source)
            shutil.copyfile(source, folder / source.name)
            write_picture(folder / f"{source.stem}.png", label(image, net))
            table.writerow((source.stem, "people_teacher", "disparity", record["clip"]))
    print(f"{len(wanted)} labelled pictures in {folder}")


if __name__ == "__main__":
    run_tool(main)
