"""RGB-D pairs on disk: `NAME.jpg` + `NAME.png` (16 bit), listed in `<set>.csv` beside the folder `<set>/`.

The csv has the columns name, source, depth_kind, sequence. `metric_mm` depth is in millimetres with
0 = no measurement; `disparity` is brighter = nearer with unknown scale and offset, 0 = none.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.errors import PullfocusError

DepthKind = Literal["metric_mm", "disparity"]
NEAREST_MM = 500.0  # inverse depth 1.0


class DataError(PullfocusError):
    """A training set is missing, incomplete or malformed; the message lists what is wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a set's csv, with the files it names."""

    name: str
    source: str
    kind: DepthKind
    sequence: str
    image: Path
    depth: Path


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A decoded pair: `image` h w 3 uint8 RGB; `target` h w float32 inverse depth, NaN = no measurement."""

    image: NDArray[np.uint8]
    target: NDArray[np.float32]
    metric: bool

    def __repr__(self) -> str:
        return f"Pair({self.image.shape[1]}×{self.image.shape[0]}, metric={self.metric})"


def read_rows(csv_path: Path) -> list[Row]:
    """The rows of one set. Raises DataError naming every missing file."""
    folder = csv_path.with_suffix("")
    try:
        with csv_path.open(newline="", encoding="utf-8") as file:
            records = list(csv.DictReader(file, restval=""))
    except OSError as error:
        raise DataError(f"cannot read {csv_path}: {error.strerror}; expected the csv of an RGB-D set") from error
    rows = [_row(record, folder, csv_path) for record in records]
    missing = [str(p) for row in rows for p in (row.image, row.depth) if not p.is_file()]
    if missing:
        raise DataError(f"{csv_path}: {len(missing)} missing files:\n  " + "\n  ".join(missing))
    return rows


def _row(record: dict[str, str], folder: Path, csv_path: Path) -> Row:
    try:
        name, kind = record["name"], record["depth_kind"]
        source, sequence = record["source"], record["sequence"]
    except KeyError as error:
        raise DataError(f"{csv_path}: got no column {error}; expected name, source, depth_kind, sequence") from error
    if not (name and source and sequence):
        raise DataError(f"{csv_path}: got {name!r}, {source!r}, {sequence!r}; expected name, source and sequence")
    if kind not in ("metric_mm", "disparity"):
        raise DataError(f"{csv_path}: {name}: got depth_kind {kind!r}; expected metric_mm or disparity")
    return Row(name, source, kind, sequence, folder / f"{name}.jpg", folder / f"{name}.png")


def load_pair(row: Row) -> Pair:
    """Decode a row. Raises DataError when a file is no picture or has the wrong type."""
    image = read_rgb(row.image)
    depth = cv2.imread(str(row.depth), cv2.IMREAD_UNCHANGED)
    if depth is None or depth.ndim != 2 or depth.dtype != np.uint16:
        raise DataError(f"{row.depth}: expected 16-bit grey depth")
    if image.shape[:2] != depth.shape:
        raise DataError(f"{row.name}: picture {image.shape[:2]} and depth {depth.shape} differ in size")
    return Pair(image, _target(depth, row.kind), row.kind == "metric_mm")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A colour picture, `h w 3` uint8 RGB. Raises DataError."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise DataError(f"{path}: not a readable picture")
    return image.astype(np.uint8, copy=False)


def _target(depth: NDArray[np.generic], kind: DepthKind) -> NDArray[np.float32]:
    raw = depth.astype(np.float32)
    valid = raw > 0
    if kind == "metric_mm":
        target = np.minimum(NEAREST_MM / np.where(valid, raw, 1.0), 1.0)
    else:
        target = raw / max(float(raw.max()), 1.0)
    return np.where(valid, target, np.nan).astype(np.float32)


def split_validation(rows: Sequence[Row], nyu_count: int = 80) -> tuple[list[Row], list[Row]]:
    """(training, validation), cut by contiguous blocks so that no room stands on both sides.

    Validation: the last `nyu_count` NYU pictures in index order, the piv sequence `PIV_livro` (both
    cameras), and every fifth clip of people.
    """
    nyu = sorted(row.name for row in rows if row.source == "nyu_labeled_1449")
    held = set(nyu[len(nyu) - nyu_count :]) if len(nyu) > nyu_count else set[str]()
    clips = sorted({row.sequence for row in rows if row.source == "people_teacher"})
    held_clips = set(clips[::5])

    def is_validation(row: Row) -> bool:
        return row.name in held or row.sequence.startswith("PIV_livro") or row.sequence in held_clips

    return [r for r in rows if not is_validation(r)], [r for r in rows if is_validation(r)]
