"""A program that takes frames on its standard input and gives frames on its standard output."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from queue import Empty, Queue
from typing import IO

import numpy as np

from ...kernels.api import Picture
from .api import MissingPeerError


class FrameProgram:
    """Pictures go in and come out raw, RGB, in order; a thread feeds it, as it may write before it has read all."""

    def __init__(self, command: Sequence[str], size_hw: tuple[int, int]) -> None:
        """size_hw: of what comes out. Raises MissingPeerError when the program cannot be started."""
        self._shape = (*size_hw, 3)
        try:
            self._process = subprocess.Popen(  # noqa: S603  (no shell; the arguments are ours)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise MissingPeerError(f"{command[0]} cannot be started ({error.strerror})") from error
        self._waiting: Queue[bytes | None] = Queue()
        self._got: Queue[bytes] = Queue()
        self._said: list[bytes] = []
        threads = (self._feed, self._read, self._listen)
        self._threads = [threading.Thread(target=work, daemon=True) for work in threads]
        for thread in self._threads:
            thread.start()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def put(self, data: bytes) -> None:
        """Hand in one more frame."""
        self._waiting.put(data)

    def take(self, limit_s: float = 120.0) -> Picture:
        """The next picture. Raises MissingPeerError when the program has ended, TimeoutError after `limit_s`."""
        try:
            data = self._got.get(timeout=limit_s)
        except Empty as error:
            raise TimeoutError from error
        if not data:
            self._got.put(data)  # every further call hears it, too
            raise MissingPeerError(
                f"it ended: {b''.join(self._said).decode(errors='replace').strip()[-300:] or 'no reason given'}"
            )
        return np.frombuffer(data, np.uint8).reshape(self._shape)

    def close(self) -> None:
        self._waiting.put(None)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(5.0)

    def _feed(self) -> None:
        assert self._process.stdin is not None
        while (data := self._waiting.get()) is not None:
            try:
                self._process.stdin.write(data)
                self._process.stdin.flush()
            except OSError:  # it has ended; `take` says so
                return

    def _read(self) -> None:
        assert self._process.stdout is not None
        size = int(np.prod(self._shape))
        while True:
            data = self._process.stdout.read(size)
            whole = len(data) == size
            if not whole:  # ended: wait for its last words
                self._threads[2].join(5.0)
            self._got.put(data if whole else b"")
            if not whole:
                return

    def _listen(self) -> None:
        errors: IO[bytes] | None = self._process.stderr
        assert errors is not None
        self._said.extend(errors)


class InProgram:
    """The part of a peer that works in a program beside this one."""

    _program: FrameProgram | None = None  # from `prepare` to `close`

    def working_process(self) -> int | None:
        return self._program.process_id if self._program is not None else None

    def close(self) -> None:
        if self._program is not None:
            self._program.close()
            self._program = None
