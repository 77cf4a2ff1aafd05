"""Label unlabelled pictures: `python -m pullfocus.training.teacher people.csv --teacher T.onnx -o OUT.csv`.

The teacher is TCMonoDepth-small (Li et al. 2021, MIT licence): relative inverse depth, so its labels
are of the kind `disparity` and train scale-and-shift-invariant terms only.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import openvino as ov
import typer
from numpy.typing import NDArray
from openvino.frontend import FrontEndManager, GeneralFailure

from ..engines.atomic import check_target, make_folder, write_text, written_aside
from ..kernels.errors import CheckpointError
from .data import read_rgb
from .data.csv_set import COLUMNS, read_records
from .tool import run_tool, write_picture

LISTED = ("name", "clip", "licence_class")
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing set")] = False,
) -> None:
    """Write a labelled set that training reads; only pictures with a clean or permissive licence."""
    check_target(out, overwrite)
    records = read_records(listing, LISTED, "a csv that lists pictures")
    wanted = [record for _, record in records if record["licence_class"] in LICENCES]
    net = _compiled(teacher)
    folder = out.with_suffix("")
    make_folder(folder)
    lines = [",".join(COLUMNS)]
    for record in wanted:
        source = listing.with_suffix("") / record["name"]
        image = read_rgb(source)
        with written_aside(folder / source.name) as aside:
            shutil.copyfile(source, aside)
        write_picture(folder / f"{source.stem}.png", label(image, net))
        lines.append(f"{source.stem},people_teacher,disparity,{record['clip']}")
    write_text(out, "\n".join(lines) + "\n")
    print(f"{len(wanted)} labelled pictures in {folder}")


def _compiled(teacher: Path) -> ov.CompiledModel:
    """Raises CheckpointError."""
    try:
        # OpenVINO's own choice of a reader tries others on a broken file, which print what they think of it.
        onnx = FrontEndManager().load_by_framework("onnx")
        return ov.Core().compile_model(onnx.convert(onnx.load(teacher)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except (RuntimeError, GeneralFailure) as error:
        raise CheckpointError(f"cannot read {teacher}; expected TCMonoDepth-small as ONNX") from error


if __name__ == "__main__":
    run_tool(main)
