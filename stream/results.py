"""The results of a job, files or folders: written aside, then given their names, with a note of that.

A folder replaces another in two renames; what stood there is kept between them, and comes back after a kill.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..engines.atomic import folder_before, put_folder_in_place, put_in_place, unchanged, write_text
from ..kernels.errors import OutputError


class Results:
    """What a job makes under the names `targets`, which appear one after another, last first."""

    def __init__(self, targets: Sequence[Path], notes: Path) -> None:
        """notes: the file that says which were delivered."""
        self._targets, self._notes = tuple(targets), notes

    def aside(self, target: Path) -> Path:
        """Where a target is written until it is complete."""
        return target.with_name(f".{target.name}.pullfocus.part")

    def deliver(self) -> None:
        """Give the targets, all written aside, their names. Raises OutputError."""
        for target in reversed(self._targets):
            aside = self.aside(target)
            try:
                self._note(target)
                if aside.is_dir():
                    put_folder_in_place(aside, target)
                else:
                    put_in_place(aside, target)
            except OSError as error:
                raise OutputError(f"{target}: cannot write ({error.strerror or error}){unchanged(target)}") from error

    def _note(self, target: Path) -> None:
        """Write down how the finished result will be known again: a rename changes none of this."""
        notes = self._delivered() | {str(target.resolve()): _mark(self.aside(target))}
        write_text(self._notes, json.dumps(notes))

    def _delivered(self) -> dict[str, list[int]]:
        try:
            return dict(json.loads(self._notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def has_delivered(self, target: Path) -> bool:
        """Whether what has that name is this job's own work."""
        with suppress(OSError):
            return self._delivered().get(str(target.resolve())) == _mark(target)
        return False

    def discard(self) -> None:
        """Delete what was written aside. Raises OSError."""
        for target in self._targets:
            remove(self.aside(target))

    def recover(self) -> None:
        """Give back what a kill between two renames has left without its name. Raises OutputError."""
        for target in self._targets:
            before = folder_before(target)
            try:
                if before.is_dir() and target.exists():
                    shutil.rmtree(before)
                elif before.is_dir():
                    before.rename(target)
            except OSError as error:
                raise OutputError(f"{before}: cannot become {target.name} again ({error.strerror})") from error


def remove(path: Path) -> None:
    """A file or a folder, if it is there. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _mark(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_ino, facts.st_size, facts.st_mtime_ns]
