"""Plain folders: pairs of a picture and 16-bit depth in millimetres, or pictures alone.

Pairs: `rgb/NAME.jpg` + `depth/NAME.png`; or side by side `NAME.jpg|png` + `NAME_depth.png`, or
`NAME.jpg` + `NAME.png`. Subfolders are looked into. A picture's sequence is its folder, with the file name up
to its frame number when there is one: `clips/walk_0012.jpg` is of `clips/walk`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .check import refuse
from .pictures import PictureFiles, read_millimetres
from .sample import DataError, Sample

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
DEPTH_SUFFIX = ".png"
DEPTH_MARK = "_depth"

Pairs = list[tuple[Path, Path]]


def read_folder(folder: Path) -> list[Sample]:
    """The pairs of a folder if it holds any depth, else its pictures; source = the folder's name. Raises DataError."""
    if (folder / "rgb").is_dir() and (folder / "depth").is_dir():
        return read_pairs_apart(folder)
    pictures = _pictures(folder)
    if not pictures:
        raise DataError(f"{folder}: got no picture; expected {', '.join(PICTURE_SUFFIXES)}")
    pairs, alone = _side_by_side(pictures)
    if not pairs:
        return read_unlabelled(folder)
    refuse([f"{path}: no picture or depth to go with it" for path in alone], f"{folder}: files")
    return _labelled(pairs, folder, folder)


def read_pairs_apart(folder: Path) -> list[Sample]:
    """`rgb/…/NAME.*` with `depth/…/NAME.png`. Raises DataError naming all that are on one side only."""
    pictures, depths = _pictures(folder / "rgb"), _pictures(folder / "depth")
    by_name = {_name(path, folder / "depth"): path for path in depths if path.suffix.lower() == DEPTH_SUFFIX}
    pairs = [(p, by_name[name]) for p in pictures if (name := _name(p, folder / "rgb")) in by_name]
    used = {path for pair in pairs for path in pair}
    alone = [path for path in (*pictures, *depths) if path not in used]
    refuse([f"{path}: no partner in the other folder" for path in alone], f"{folder}: files")
    if not pairs:
        raise DataError(f"{folder}: got empty folders rgb and depth; expected NAME.jpg and NAME.png")
    return _labelled(pairs, folder, folder / "rgb")


def read_unlabelled(folder: Path) -> list[Sample]:
    """Every picture of a folder, without depth."""
    source = folder.absolute().name
    return [
        Sample(_name(path, folder), source, "none", _sequence(path, folder) or source, PictureFiles(path))
        for path in _pictures(folder)
    ]


def _labelled(pairs: Pairs, folder: Path, root: Path) -> list[Sample]:
    source = folder.absolute().name
    return [
        Sample(
            name=_name(image, root),
            source=source,
            kind="metric",
            sequence=_sequence(image, root) or source,
            stored=PictureFiles(image, depth, read_millimetres),
        )
        for image, depth in pairs
    ]


def _side_by_side(pictures: Sequence[Path]) -> tuple[Pairs, list[Path]]:
    """(pairs, files without a partner)."""
    here = set(pictures)
    pairs: Pairs = []
    for image in pictures:
        own = image.suffix.lower() == DEPTH_SUFFIX
        marked = image.with_name(image.stem + DEPTH_MARK + DEPTH_SUFFIX)
        plain = image.with_suffix(DEPTH_SUFFIX)
        if marked in here:
            pairs.append((image, marked))
        elif not own and plain in here:
            pairs.append((image, plain))
    used = {path for pair in pairs for path in pair}
    return pairs, [path for path in pictures if path not in used]


def _pictures(folder: Path) -> list[Path]:
    """All picture files below a folder, sorted; hidden ones are none of ours."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    return sorted(path for path in found if not any(p.startswith(".") for p in path.relative_to(folder).parts))


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _sequence(path: Path, root: Path) -> str:
    """The folder and the name up to a frame number; "" when neither is there."""
    stem = re.sub(r"[_-]?\d+$", "", path.stem)
    inner = (path.relative_to(root).parent / stem).as_posix()
    return inner if inner != "." else ""
