"""Ctrl-C that waits for a safe moment."""

from __future__ import annotations

import signal
from threading import current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any

GIVE_UP_AT = 3  # the third Ctrl-C is not put off any more, as in ffmpeg


class StoppedError(Exception):
    """Ctrl-C that leaves something; the message says what, and how to go on."""


_heard_at_start: list[int] = []
_blocks: list[Interrupts] = []  # those that hear Ctrl-C now, the innermost last


def listen() -> None:
    """For a program's start: Ctrl-C and SIGTERM raise KeyboardInterrupt, now and again when a block begins.

    Imports, destructors and C code may swallow the first. Ctrl-C stays ignored where it is, as in a
    background shell.
    """
    _heard_at_start.clear()
    for number in (signal.SIGINT, signal.SIGTERM):
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _at_start)


def _at_start(number: int, _where: FrameType | None) -> None:
    _heard_at_start.append(number)
    raise KeyboardInterrupt


class Interrupts:
    """Within the block Ctrl-C (and SIGTERM) is remembered, and raised only where `check` is called.

    Python raises KeyboardInterrupt between any two bytecodes: with a lock just taken, a thread half
    started, a packet half written. Lost locks hang a program; a lost packet damages a file.
    """

    def __init__(self) -> None:
        self._count = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        self._before = _interrupting_handlers()
        for number in self._before:
            signal.signal(number, self._on_signal)
        if self._before:
            self._count = len(_heard_at_start)
            _heard_at_start.clear()
            _blocks.append(self)
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
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._before:
            _blocks.remove(self)


def check_interrupts() -> None:
    """For a long wait within a block: raises KeyboardInterrupt when Ctrl-C came since the innermost began."""
    if _blocks and current_thread() is main_thread():
        _blocks[-1].check()


def _interrupting_handlers() -> dict[signal.Signals, Any]:
    """Those that raise KeyboardInterrupt now; another program's own handlers, or ignored signals, are left alone."""
    if current_thread() is not main_thread():
        return {}
    both = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    return {number: handler for number, handler in both.items() if handler in (signal.default_int_handler, _at_start)}
