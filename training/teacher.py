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

from ..kernels.errors import CheckpointError
from .data import DataError, read_rgb
from .data.check import refuse
from .data.csv_set import check_new_set, pictures_aside, read_records, write_listing
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
    out: Annotated[Path, typer.Option("--out", "-o", help="csv of the labelled set to write, beside its folder")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing set")] = False,
) -> None:
    """Write a labelled set that training reads; only pictures with a clean or permissive licence."""
    check_new_set(out, overwrite, [listing])
    records = _records(listing)
    net = _compiled(teacher)
    with pictures_aside(out) as aside:
        for record in records:
            source = listing.with_suffix("") / record["name"]
            image = read_rgb(source)
            shutil.copyfile(source, aside / f"{source.stem}.jpg")
            write_picture(aside / f"{source.stem}.png", label(image, net))
    write_listing(out, ((Path(r["name"]).stem, "people_teacher", "disparity", r["clip"]) for r in records))
    print(f"{len(records)} labelled pictures in {out.with_suffix('')}")


def _records(listing: Path) -> list[dict[str, str]]:
    """Of the pictures that may be used. Raises DataError."""
    wanted = [
        r for _, r in read_records(listing, LISTED, "a csv that lists pictures") if r["licence_class"] in LICENCES
    ]
    if not wanted:
        raise DataError(f"{listing}: got no picture of licence_class {' or '.join(LICENCES)}")
    others = [r["name"] for r in wanted if Path(r["name"]).suffix.lower() not in (".jpg", ".jpeg")]
    refuse([f"{name}: expected a .jpg, for NAME.png becomes its depth" for name in others], f"{listing}: pictures")
    return wanted


def _compiled(teacher: Path) -> ov.CompiledModel:
    """Raises CheckpointError."""
    expected = "expected TCMonoDepth-small as ONNX, which takes 1 3 height width"
    try:
        # OpenVINO's own choice of a reader tries others on a broken file, which print what they think of it.
        onnx = FrontEndManager().load_by_framework("onnx")
        net = ov.Core().compile_model(onnx.convert(onnx.load(teacher)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except (RuntimeError, GeneralFailure) as error:
        why = "no such file" if not teacher.exists() else "not an ONNX model that OpenVINO reads"
        raise CheckpointError(f"cannot read {teacher}: {why}; {expected}") from error
    taken = net.input(0).partial_shape
    if taken.is_dynamic or len(taken) != 4 or list(net.input(0).shape)[:2] != [1, 3]:
        raise CheckpointError(f"{teacher}: takes {taken}; {expected}")
    return net


if __name__ == "__main__":
    run_tool(main)
