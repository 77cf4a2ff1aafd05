"""The console script: a package of its own, for whatever `stream` imports takes a second that Ctrl-C may fall in."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Ctrl-C while the program loads ends it at once and silently: nothing has begun yet."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Ignored in a background shell, it stays ignored.
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from ..stream.cli import main as run

    run()
    sys.exit()


def _end(_number: int, _where: FrameType | None) -> NoReturn:
    # An exception could be swallowed by an import, or printed by one in C code.
    os._exit(INTERRUPTED)
