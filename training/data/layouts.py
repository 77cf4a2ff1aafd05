"""Which reader a path needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .check import check
from .csv_set import read_csv_set
from .folders import PICTURE_SUFFIXES, read_folder
from .kaggle_nyu import CSV_NAMES, read_kaggle
from .nyu_mat import MAT_NAME, read_nyu_mat
from .sample import DataError, Sample, Split

EXPECTED_PAIRS = "expected a set whose csv lists depth, or a folder of pairs (rgb/ + depth/, or NAME.jpg + NAME.png)"
EXPECTED = (
    "expected SET.csv of an RGB-D set, nyu2_train.csv or nyu2_test.csv, nyu_depth_v2_labeled.mat, "
    "or a folder of pairs (rgb/ + depth/, or NAME.jpg + NAME.png) or of pictures"
)


def open_set(path: Path, split: Split = "train", *, thorough: bool = False) -> list[Sample]:
    """The samples of the set at `path`, whatever its layout, every file of it looked at.

    split: which side of an official split to take where the path holds both; a csv speaks for itself.
    thorough: decode every file, too, instead of only asking whether it is there.
    Raises DataError: nothing known at `path`, or a list of all files that are missing or broken.
    """
    samples = _read(path, split)
    if not samples:
        raise DataError(f"{path}: got a set without a single sample; {EXPECTED}")
    check(samples, thorough=thorough)
    return samples


def open_labelled(paths: Sequence[Path], split: Split = "train", *, thorough: bool = False) -> list[Sample]:
    """The samples with depth of all sets. Raises DataError as `open_set` does, and where no sample has depth."""
    samples = [sample for path in paths for sample in open_set(path, split, thorough=thorough)]
    labelled = [sample for sample in samples if sample.kind != "none"]
    if not labelled:
        names = ", ".join(map(str, paths))
        raise DataError(f"{names}: got {len(samples)} pictures, none of them with depth; {EXPECTED_PAIRS}")
    return labelled


def _read(path: Path, split: Split) -> list[Sample]:
    if path.is_dir():
        return _read_folder(path, split)
    if not path.exists():
        raise DataError(f"cannot read {path}: there is no such file or folder; {EXPECTED}")
    if path.suffix.lower() == ".mat":
        return read_nyu_mat(path, split)
    if path.suffix.lower() == ".csv":
        return read_kaggle(path) if _lists_files(path) else read_csv_set(path)
    raise DataError(f"{path}: got a file of an unknown kind; {EXPECTED}")


def _read_folder(folder: Path, split: Split) -> list[Sample]:
    for inner in (folder, folder / "data"):
        if any((inner / name).is_file() for name in CSV_NAMES.values()):
            return read_kaggle(inner / CSV_NAMES[split])
    if (folder / MAT_NAME).is_file():
        return read_nyu_mat(folder / MAT_NAME, split)
    # Pictures that a csv lists may be of any depth code: only the csv knows.
    own = folder.absolute().with_name(f"{folder.absolute().name}.csv")
    listings = [own] if _is_set(own) else sorted(folder.glob("*.csv"))
    if listings:
        raise DataError(f"{folder}: got a folder that a csv describes; open {' or '.join(map(str, listings))} instead")
    return read_folder(folder)


def _lists_files(csv_path: Path) -> bool:
    """Whether the first line is two picture files instead of a header."""
    fields = _first_line(csv_path).split(",")
    return len(fields) == 2 and all(Path(field.strip()).suffix.lower() in PICTURE_SUFFIXES for field in fields)


def _is_set(csv_path: Path) -> bool:
    return csv_path.is_file() and "depth_kind" in _first_line(csv_path)


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; {EXPECTED}") from error
