"""Write frames as numbered pictures, in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..engines.atomic import write_to_disk
from ..kernels.errors import InputError
from .pictures import check_ending, encoded
from .results import remove
from .stills import NUMBERED, name_parts, numbered_name
from .stored import StoredFrame
from .video_out import writing

FIRST_NUMBER = 1


def is_numbered(path: Path) -> bool:
    """Whether a name asks for numbered pictures, as `out/%05d.png` does."""
    return NUMBERED.search(path.name) is not None


def folder_of_its_own(pattern: Path) -> Path:
    """The folder of numbered pictures, which is replaced as a whole. Raises InputError where that cannot be."""
    folder = pattern.parent
    if not folder.name or folder.resolve() == Path.cwd():  # a root, or `.`
        raise InputError(f"{pattern}: numbered pictures need a folder of their own, such as frames/{pattern.name}")
    return folder


def check_sequence_target(pattern: Path, overwrite: bool) -> None:
    """Raises InputError when the folder of `pattern` cannot be made, or holds something that would be lost."""
    check_ending(pattern)
    folder = folder_of_its_own(pattern)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; numbered pictures need a folder of their own")
    if not folder.parent.is_dir():
        raise InputError(f"{pattern}: the folder {folder.parent} does not exist; create it first")
    held = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if held and not overwrite:
        raise InputError(f"{folder} is not empty; pass --overwrite to replace it, or choose another folder")
    before, _, after = name_parts(pattern.name)
    foreign = [name for name in held if not (name.startswith(before) and name.endswith(after))]
    if foreign:
        raise InputError(f"{folder} holds {foreign[0]}, which is no picture of {pattern.name}; choose another folder")


def write_sequence(pattern: Path, frames: Iterable[StoredFrame], folder: Path) -> None:
    """Numbered pictures, from 1 on, in a new folder at `folder`, with the names of `pattern`. Raises OutputError."""
    with writing(pattern):
        remove(folder)  # of a run that was killed
        folder.mkdir()
        for number, frame in enumerate(frames, FIRST_NUMBER):
            whole = frame.picture if frame.alpha is None else np.dstack((frame.picture, frame.alpha))
            write_to_disk(numbered_name(folder / pattern.name, number), encoded(pattern.suffix, whole))
