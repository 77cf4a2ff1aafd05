"""A live recording: whatever ends it, what was recorded until then is kept, because it cannot be made again.

Only an error of the recording itself (a full disk, a frame that cannot be encoded) loses it.
"""

from __future__ import annotations

import signal
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any

from .frame import Rendered
from .pipeline import Sink

GIVE_UP_AT = 3  # the third Ctrl-C gives the recording up, as in ffmpeg


class Recording:
    """A file sink that finishes its file also after Ctrl-C or an error from elsewhere.

    Ctrl-C (and SIGTERM) takes effect between two frames, never within one: an encoder that has lost
    a packet would leave a damaged end.
    """

    def __init__(self, path: Path, file: AbstractContextManager[Sink]) -> None:
        self._path, self._file = path, file
        self._sink: Sink | None = None
        self._frames = 0
        self._writing = self._broken = False
        self._interrupts = 0
        self._handled: list[signal.Signals] = []

    def __enter__(self) -> Recording:
        self._sink = self._file.__enter__()
        self._handled = _interrupting_signals()
        for number in self._handled:
            signal.signal(number, self._on_signal)
        return self

    def write(self, rendered: Rendered) -> bool:
        """Encode one frame."""
        assert self._sink is not None
        self._writing = self._broken = True
        more = self._sink.write(rendered)
        self._frames += 1
        self._writing = self._broken = False
        if self._interrupts:
            raise KeyboardInterrupt
        return more

    def _on_signal(self, _number: int, _where: FrameType | None) -> None:
        self._interrupts += 1
        if not self._writing or self._interrupts >= GIVE_UP_AT:
            raise KeyboardInterrupt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keep = self._frames > 0 and not self._broken and error is not None
        self._writing = True  # finishing is one step, too
        try:
            self._file.__exit__(*((None, None, None) if keep else (kind, error, trace)))
        finally:
            for number in self._handled:
                signal.signal(number, signal.default_int_handler)
        if keep:
            print(f"pullfocus: kept {self._path}: {self._frames} frames", file=sys.stderr)
        elif self._interrupts and error is None:
            raise KeyboardInterrupt  # it came while the file was being finished


def _interrupting_signals() -> list[signal.Signals]:
    """Those that raise KeyboardInterrupt now; another program's own handlers, or ignored signals, are left alone."""
    if current_thread() is not main_thread():
        return []
    both: tuple[Any, ...] = (signal.SIGINT, signal.SIGTERM)
    return [number for number in both if signal.getsignal(number) is signal.default_int_handler]
