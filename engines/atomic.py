"""Results appear under their name only when they are complete."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ..kernels.errors import InputError, OutputError

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


def check_target(path: Path, overwrite: bool) -> None:
    """Raises InputError when `path` cannot be written or exists without `overwrite`."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a file name")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a device or a pipe; expected a file name")  # a rename would replace it
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; pass --overwrite to replace it, or choose another name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: the folder {path.parent} is not writable")


def make_folder(path: Path) -> None:
    """Make a folder and those above it. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot make this folder ({error.strerror})") from error


def check_distinct(paths: Iterable[Path | None]) -> None:
    """Raises InputError when two of a run's files have the same name: one would replace the other."""
    named = [path for path in paths if path is not None]
    places = [path.resolve() for path in named]
    for index, path in enumerate(named):
        if places[index] in places[:index]:
            raise InputError(f"{path} is named for two files of this run; choose two names")


def check_keeps_input(source: Path, result: Path) -> None:
    """Raises InputError when `result` is, under whatever name, the input `source`, which it would replace."""
    if source.exists() and result.exists() and result.samefile(source):
        raise InputError(f"{result} is the input {source}, which would be lost; choose another name")


def unchanged(path: Path) -> str:
    """The end of a message that says why `path` could not be written."""
    return "; it was not changed" if path.exists() else ""


@contextmanager
def written_aside(path: Path) -> Generator[Path]:
    """A path beside `path` to write to; it is renamed to `path` at a clean end and removed otherwise.

    Raises OutputError when the disk is full or the folder is read-only.
    """
    # No name of another run's: not of one that was given up, nor of one on another machine.
    aside = path.with_name(f".{path.stem}.{uuid4().hex}.part{path.suffix}")
    try:
        yield aside
        put_in_place(aside, path)
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise  # not about this file
        raise OutputError(f"{path}: cannot write ({error.strerror or error}){unchanged(path)}") from error
    finally:
        aside.unlink(missing_ok=True)


def put_in_place(aside: Path, path: Path) -> None:
    """Give a finished file its name, once all of it is on the disk. Raises OSError."""
    _flush_to_disk(aside)
    aside.replace(path)


def folder_before(folder: Path) -> Path:
    """Where an earlier folder of that name is until the new one stands there."""
    return folder.with_name(f".{folder.name}.pullfocus.before")


def put_folder_in_place(aside: Path, folder: Path) -> None:
    """Give a finished folder its name, in place of an earlier one, which stays where that fails. Raises OSError."""
    before = folder_before(folder)
    if folder.exists():
        folder.rename(before)
    try:
        aside.rename(folder)
    except OSError:
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a small text file, whole or not at all. Raises OutputError."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_to_disk(path: Path, data: bytes) -> None:
    """A file of a folder that will be renamed when it is complete. Raises OSError."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush_to_disk(path: Path) -> None:
    with path.open("r+b") as file:  # Windows flushes files opened for writing only
        os.fsync(file.fileno())
