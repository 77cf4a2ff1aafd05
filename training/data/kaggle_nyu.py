"""NYU Depth v2 as Kaggle has it: 50,688 training pairs and the 654 of the official test.

`data/nyu2_train.csv` and `data/nyu2_test.csv` have no header; a row is `PICTURE,DEPTH`, as seen from
the folder that holds `data/`: `data/nyu2_train/kitchen_0004_out/7.jpg,data/nyu2_train/kitchen_0004_out/7.png`
or `data/nyu2_test/00000_colors.png,data/nyu2_test/00000_depth.png`. Depth: see `read_kaggle_depth`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .check import refuse
from .nyu import EIGEN_CROP, KAGGLE
from .pictures import PictureFiles, read_kaggle_depth
from .sample import DataError, Sample, Split

CSV_NAMES: dict[Split, str] = {"train": "nyu2_train.csv", "test": "nyu2_test.csv"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the csv: files as they lie on disk, or None for an empty field."""

    number: int
    image: Path | None
    depth: Path | None

    @property
    def scene(self) -> str:
        """The folder of the picture; "" without one."""
        return self.image.parent.name if self.image else ""


def read_kaggle(csv_path: Path) -> list[Sample]:
    """The pairs of one csv, its files not looked at. Raises DataError naming every line that is not two files.

    Test pictures are cut to `EIGEN_CROP`, as those of the official file are: one test, the same figures.
    """
    crop = EIGEN_CROP if csv_path.name == CSV_NAMES["test"] else None
    lines = read_lines(csv_path)
    bad = [f"line {line.number}: expected PICTURE,DEPTH" for line in lines if not (line.image and line.depth)]
    refuse(bad, f"{csv_path}: lines")
    return [
        Sample(
            name=f"{line.scene}/{line.image.stem}",
            source=KAGGLE,
            kind="metric",
            sequence=line.scene,
            stored=PictureFiles(line.image, line.depth, read_kaggle_depth, crop),
        )
        for line in lines
        if line.image and line.depth
    ]


def read_lines(csv_path: Path) -> list[Line]:
    """All lines but blank ones at the end, faults included. Raises DataError when it cannot be read."""
    try:
        with csv_path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, [field.strip() for field in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {csv_path}: {error}; expected rows PICTURE,DEPTH") from error
    while rows and rows[-1][1] in ([], [""]):
        rows.pop()
    root = _root(csv_path, [row for _, row in rows])
    return [Line(number, *_two_files(row, root)) for number, row in rows]


def _two_files(row: list[str], root: Path) -> tuple[Path | None, Path | None]:
    image, depth, *more = (*row, "", "")
    if any(more):
        return None, None
    return root / image if image else None, root / depth if depth else None


def _root(csv_path: Path, rows: Sequence[list[str]]) -> Path:
    """The folder that the rows are relative to: the one around `data/`, or the csv's own."""
    roots = (csv_path.absolute().parent.parent, csv_path.absolute().parent)
    return next((root for row in rows if row and row[0] for root in roots if (root / row[0]).is_file()), roots[0])
