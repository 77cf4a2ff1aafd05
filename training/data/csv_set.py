"""RGB-D sets as a csv and a folder: `NAME.jpg` + `NAME.png` (16 bit), listed in `<set>.csv` beside the folder `<set>/`.

The csv has the columns name, source, depth_kind, sequence. `metric_mm` depth is in millimetres with
0 = no measurement; `disparity` is brighter = nearer with unknown scale and offset, 0 = none.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ...engines.atomic import check_keeps_input, check_target, make_folder, put_folder_in_place, write_text
from ...kernels.errors import InputError, OutputError
from .check import refuse
from .pictures import DepthReader, PictureFiles, read_disparity, read_millimetres
from .sample import DataError, DepthKind, Sample

COLUMNS = ("name", "source", "depth_kind", "sequence")
CODES: dict[str, tuple[DepthKind, DepthReader]] = {
    "metric_mm": ("metric", read_millimetres),
    "disparity": ("disparity", read_disparity),
}


def read_csv_set(csv_path: Path) -> list[Sample]:
    """The samples of one set, its files not looked at. Raises DataError naming every bad line."""
    records = read_records(csv_path, COLUMNS, "the csv of an RGB-D set")
    refuse([f"line {n}: {fault}" for n, record in records if (fault := _fault(record))], f"{csv_path}: lines")
    return [_sample(record, csv_path.with_suffix("")) for _, record in records]


def read_records(path: Path, columns: Sequence[str], expected: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a csv with at least these columns, each with its line number. Raises DataError.

    expected: what the csv is to be, for the message.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            lacking = [column for column in columns if column not in (reader.fieldnames or ())]
            if lacking:
                raise DataError(f"{path}: got no column {', '.join(lacking)}; expected {', '.join(columns)}")
            return [(reader.line_num, record) for record in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}; expected {expected}") from error


def check_new_set(listing: Path, overwrite: bool, sources: Iterable[Path]) -> None:
    """Raises InputError where a set may not be written: over one of `sources`, or over what is no set."""
    folder = listing.with_suffix("")
    check_target(listing, overwrite)
    for source in sources:
        check_keeps_input(source, listing)
        check_keeps_input(source, folder)
    if folder.exists() and not listing.exists():
        raise InputError(f"{folder} is there already and is no set's folder; choose another name")


@contextmanager
def pictures_aside(listing: Path) -> Generator[Path]:
    """A folder for a new set's pictures, which takes the place of the set's at a clean end and is removed otherwise.

    Raises OutputError.
    """
    folder = listing.with_suffix("")
    aside = folder.with_name(f".{folder.name}.{uuid4().hex}.part")
    make_folder(aside)
    try:
        yield aside
        put_folder_in_place(aside, folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot write ({error.strerror or error})") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_listing(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """The csv of a set, a row of COLUMNS for each picture; whole or not at all. Raises OutputError."""
    table = io.StringIO()
    lines = csv.writer(table, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows(rows)
    write_text(path, table.getvalue())


def _fault(record: dict[str, str]) -> str:
    empty = [column for column in COLUMNS if not record[column]]
    if empty:
        return f"got no {', '.join(empty)}"
    kind = record["depth_kind"]
    return "" if kind in CODES else f"{record['name']}: got depth_kind {kind!r}; expected {' or '.join(CODES)}"


def _sample(record: dict[str, str], folder: Path) -> Sample:
    name = record["name"]
    kind, read_depth = CODES[record["depth_kind"]]
    stored = PictureFiles(folder / f"{name}.jpg", folder / f"{name}.png", read_depth)
    return Sample(name, record["source"], kind, record["sequence"], stored)
