"""How the tools that are not commands of `pullfocus` end: as those do, in one line and with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from ..engines.api import complain
from ..engines.interrupts import StoppedError
from ..kernels.errors import OutputError, PullfocusError, paths_refused_in_words


@contextmanager
def one_line_errors() -> Generator[None]:
    """What the user can mend ends in one line, with exit code 2; a Ctrl-C that leaves something in one, with 130."""
    try:
        with paths_refused_in_words():
            yield
    except PullfocusError as error:
        complain(str(error))
        sys.exit(2)
    except StoppedError as stop:
        complain(str(stop))
        sys.exit(130)


def run_tool(main: Callable[..., None]) -> None:
    """Run `main` with the command line's arguments."""
    with one_line_errors():
        typer.run(main)


def write_picture(path: Path, picture: NDArray[np.integer], *options: int) -> None:
    """cv2.imwrite, which says nothing on a full disk. Raises OutputError."""
    if not cv2.imwrite(str(path), picture, options):
        raise OutputError(f"cannot write {path}; is the disk full?")
