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

from ..kernels.errors import OutputError, PullfocusError


@contextmanager
def one_line_errors() -> Generator[None]:
    """What the user can mend ends the program with one line and exit code 2."""
    try:
        yield
    except PullfocusError as error:
        print(f"pullfocus: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)


def run_tool(main: Callable[..., None]) -> None:
    """Run `main` with the command line's arguments."""
    with one_line_errors():
        typer.run(main)


def write_picture(path: Path, picture: NDArray[np.integer], *options: int) -> None:
    """cv2.imwrite, which says nothing on a full disk. Raises OutputError."""
    if not cv2.imwrite(str(path), picture, options):
        raise OutputError(f"cannot write {path}; is the disk full?")
