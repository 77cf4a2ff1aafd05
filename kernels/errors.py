"""Every error that pullfocus raises on purpose.

    PullfocusError            shown as one line, exit code 2, no traceback
    ├── InputError            a file, option or device that the user gave cannot be used
    ├── MissingExtraError     an optional package is not installed; names the pip command
    ├── CheckpointError       a weight file is missing, damaged or of another net
    ├── EngineError           a depth engine cannot be built or run here
    ├── OutputError           the result cannot be written
    │   └── EncoderLostError  an encoder on a GPU failed; the CPU's would not
    └── StuckError            a thread did not stop in time; names it

A message says what was got, what was expected and what to do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager

_WHAT_TO_DO = {
    errno.ENAMETOOLONG: "choose a shorter one (most disks take 255 bytes for a name, 4095 for a whole path)",
    errno.EACCES: "ask its owner, or choose another place",
    errno.EPERM: "ask its owner, or choose another place",
}
_SHOWN = 60  # characters of a path that is too long


class PullfocusError(Exception):
    """Base of the errors above."""


class InputError(PullfocusError):
    """A file, option or device that the user gave cannot be used."""


class MissingExtraError(PullfocusError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed; run: pip install 'pullfocus[{extra}]'")


class CheckpointError(PullfocusError):
    """A weight file is missing, damaged or of another net."""


class EngineError(PullfocusError):
    """A depth engine cannot be built or run here."""


class OutputError(PullfocusError):
    """The result cannot be written."""


class EncoderLostError(OutputError):
    """An encoder on a GPU failed; the CPU's would not."""


class StuckError(PullfocusError):
    """A thread did not stop in time."""


@contextmanager
def paths_refused_in_words() -> Generator[None]:
    """Raises InputError in place of an OSError that `refused_path` knows."""
    try:
        yield
    except OSError as error:
        refused = refused_path(error)
        if refused is None:
            raise
        raise refused from error


def refused_path(error: OSError) -> InputError | None:
    """What the user should know of a path that the system will not so much as look for; None for any other error.

    For such a one `Path.exists` and its like raise, up to Python 3.13; later they say False, as for one that leads
    nowhere.
    """
    if error.errno not in _WHAT_TO_DO or not isinstance(error.filename, str | bytes | os.PathLike):
        return None
    name = os.fsdecode(error.filename)
    if error.errno == errno.ENAMETOOLONG:
        name = f"{name[:_SHOWN]}… ({len(name)} characters)"
    return InputError(f"{name}: {error.strerror}; {_WHAT_TO_DO[error.errno]}")
