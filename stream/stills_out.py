"""Write frames as numbered pictures. The folder appears at a clean end, with all of them or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..kernels.errors import InputError, OutputError
from .frame import Rendered
from .pictures import check_ending, write_picture
from .stills import NUMBERED, name_parts, numbered_name
from .video_info import VideoInfo

FIRST_NUMBER = 1


def is_numbered(path: Path) -> bool:
    """Whether a name asks for numbered pictures, as `out/%05d.png` does."""
    return NUMBERED.search(path.name) is not None


def check_sequence_target(pattern: Path, overwrite: bool) -> None:
    """Raises InputError when the folder of `pattern` cannot be made, or holds something that would be lost."""
    check_ending(pattern)
    folder = pattern.parent
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; numbered pictures need a folder of their own")
    if folder.resolve() == Path.cwd():
        raise InputError(f"{pattern}: numbered pictures need a folder of their own, such as frames/{pattern.name}")
    if not folder.parent.is_dir():
        raise InputError(f"{pattern}: the folder {folder.parent} does not exist; create it first")
    held = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if held and not overwrite:
        raise InputError(f"{folder} is not empty; pass --overwrite to replace it, or choose another folder")
    before, _, after = name_parts(pattern.name)
    foreign = [name for name in held if not (name.startswith(before) and name.endswith(after))]
    if foreign:
        raise InputError(f"{folder} holds {foreign[0]}, which is no picture of {pattern.name}; choose another folder")


@contextmanager
def sequence_sink(pattern: Path, info: VideoInfo) -> Generator[SequenceSink]:
    """A sink for numbered pictures, from 1 on: `pattern`'s folder appears at a clean end of the block.

    Raises InputError for an unknown ending and OutputError when the disk is full.
    """
    del info  # pictures have no time
    check_ending(pattern)
    folder = pattern.parent
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        sink = SequenceSink(aside / pattern.name)
        yield sink
        sink.finish()
        _put_in_place(aside, folder)
    except OSError as error:
        raise OutputError(f"{pattern}: cannot write ({error.strerror or error}); it was not changed") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


class SequenceSink:
    """Pictures being written. Make it with `sequence_sink`."""

    def __init__(self, pattern: Path) -> None:
        self._pattern = pattern
        self._count = 0
        self.notes: list[str] = []

    def write(self, rendered: Rendered) -> bool:
        """Encode one frame. Raises OutputError."""
        write_picture(numbered_name(self._pattern, FIRST_NUMBER + self._count), rendered.picture)
        self._count += 1
        return True

    def finish(self) -> None:
        """Raises OutputError when there is nothing to show."""
        if not self._count:
            raise OutputError("no frame arrived, so there is nothing to write")


def _put_in_place(aside: Path, folder: Path) -> None:
    """Rename `aside` to `folder`, whose earlier content goes only once the new one stands there."""
    before = folder.with_name(f".{folder.name}.{os.getpid()}.before")
    if folder.exists():
        folder.rename(before)
    try:
        aside.rename(folder)
    except OSError:
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)
