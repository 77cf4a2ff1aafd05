"""Ctrl-C that waits for a safe moment."""

from __future__ import annotations

import signal
from threading import current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any

GIVE_UP_AT = 3  # the third Ctrl-C is not put off any more, as in ffmpeg


class Interrupts:
    """Within the block Ctrl-C (and SIGTERM) is remembered, and raised only where `check` is called.

    Python raises KeyboardInterrupt between any two bytecodes: with a lock just taken, a thread half
    started, a packet half written. Lost locks hang a program; a lost packet damages a file.
    """

    def __init__(self) -> None:
        self._count = 0
        self._handled: list[signal.Signals] = []

    def __enter__(self) -> Interrupts:
        self._handled = _interrupting_signals()
        for number in self._handled:
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, _number: int, _where: FrameType | None) -> None:
        self._count += 1
        if self._count >= GIVE_UP_AT:
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raises KeyboardInterrupt when Ctrl-C came since the block began."""
        if self._count:
            raise KeyboardInterrupt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._handled:
            signal.signal(number, signal.default_int_handler)


def _interrupting_signals() -> list[signal.Signals]:
    """Those that raise KeyboardInterrupt now; another program's own handlers, or ignored signals, are left alone."""
    if current_thread() is not main_thread():
        return []
    both: tuple[Any, ...] = (signal.SIGINT, signal.SIGTERM)
    return [number for number in both if signal.getsignal(number) is signal.default_int_handler]
