"""A table of the Kaggle layout of NYU Depth v2, scene by scene, with what is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...kernels.errors import MissingExtraError
from .check import THREADS
from .kaggle_nyu import Line, read_lines
from .pictures import read_kaggle_depth, read_rgb
from .sample import DataError

if TYPE_CHECKING:
    import pandas as pd

CHECKS = ("empty", "duplicate", "missing", "unreadable", "size_mismatch")


def summary(csv_path: Path) -> pd.DataFrame:
    """One row per scene, sorted by name; a count of 0 in every check means that the set is whole.

    Columns: `pairs` (lines of the csv); `sizes` (of its readable pictures, "640×480"); then how many pairs
    fail each check: `empty` (the line is not two files), `duplicate` (of an earlier line), `missing`, `unreadable`,
    `size_mismatch` (picture and depth). A pair is counted under the first check that it fails. Every
    file is decoded: minutes for all 50,688 pairs. Raises DataError, and MissingExtraError without pandas.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("pandas", "train", "the summary of a data set") from error
    lines = read_lines(csv_path)
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(_look, lines, _repeated(lines)))
    table = pd.DataFrame({"scene": [line.scene for line in lines], "pairs": 1, "sizes": [size for size, _ in found]})
    for check in CHECKS:
        table[check] = [int(fault == check) for _, fault in found]
    return table.groupby("scene").agg({"pairs": "sum", "sizes": _distinct, **dict.fromkeys(CHECKS, "sum")})


def _repeated(lines: Sequence[Line]) -> list[bool]:
    """Of each line, whether an earlier one names the same picture."""
    seen: set[Path | None] = set()
    return [line.image in seen or bool(seen.add(line.image)) for line in lines]


def _look(line: Line, repeated: bool) -> tuple[str, str]:
    """(size of the picture or "", failed check or "")."""
    if line.image is None or line.depth is None:
        return "", "empty"
    if repeated:
        return "", "duplicate"
    if not (line.image.is_file() and line.depth.is_file()):
        return "", "missing"
    try:
        image, target = read_rgb(line.image), read_kaggle_depth(line.depth)
    except DataError:
        return "", "unreadable"
    return _size(image), "" if image.shape[:2] == target.shape else "size_mismatch"


def _size(image: NDArray[np.uint8]) -> str:
    return f"{image.shape[1]}×{image.shape[0]}"


def _distinct(sizes: Sequence[str]) -> str:
    return ", ".join(sorted(set(sizes) - {""}))
