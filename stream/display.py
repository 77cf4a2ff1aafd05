"""Whether there is a display to open a window on."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from ..kernels.errors import OutputError

INSTEAD = "use --sink null or --sink FILE"


@contextmanager
def display() -> Generator[None]:
    """Raises OutputError where Qt, which draws OpenCV's windows on Linux, would end the whole process.

    The connection stays until the window has its own: some servers start afresh when the last one ends.
    """
    if sys.platform != "linux":
        yield
        return
    name = os.environ.get("DISPLAY")
    if not name:
        raise OutputError(f"--sink window: no display (DISPLAY is not set); {INSTEAD}")
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise OutputError(f"--sink window: {error}; install libxcb1, or {INSTEAD}") from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    try:
        if xcb.xcb_connection_has_error(connection):
            raise OutputError(f"--sink window: cannot connect to the display {name}; {INSTEAD}")
        yield
    finally:
        xcb.xcb_disconnect(connection)
