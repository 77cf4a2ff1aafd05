"""A build that runs in another process, as the one that waits for it sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Protocol

from ..kernels.errors import EngineError
from .builder import Order
from .cuda_errors import MEMORY_ADVICE, is_out_of_memory

LOOK_S = 0.1
LOG_TAIL_BYTES = 2000


class Job(Protocol):
    """A build that is under way."""

    def poll(self) -> bool:
        """Is it done? Raises EngineError once it has failed."""
        ...

    def wait(self) -> None:
        """Until it is done. Raises EngineError; Ctrl-C ends it."""
        ...


class Progress:
    """One line on a terminal: what is built, at which stage, for how many seconds. Elsewhere a line at each end."""

    def __init__(self, what: str) -> None:
        self._what, self._started_s, self._shown_s = what, monotonic(), -1
        self._live = sys.stderr.isatty()
        if not self._live:
            print(f"note: {what}: building, once for this GPU", file=sys.stderr, flush=True)

    def show(self, stage: str) -> None:
        """At most once a second."""
        seconds = int(monotonic() - self._started_s)
        if self._live and seconds != self._shown_s:
            self._shown_s = seconds
            print(f"\r\x1b[2K{self._what}: {stage}, {seconds} s", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        seconds = monotonic() - self._started_s
        start = "\r\x1b[2K" if self._live else ""
        print(f"{start}note: {self._what}: built in {seconds:.0f} s", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


class BuildProcess:
    """Started at once; it ends with this process, however that ends."""

    def __init__(self, order: Order, log: Path, command: Sequence[str] | None = None) -> None:
        """log: gets all that the libraries say. Raises EngineError where no process can be started."""
        self._log, self._name = log, order.engine
        self._stage, self._error = "starting", ""
        self._progress = Progress(f"{order.engine} {order.net_hw[0]} × {order.net_hw[1]}")
        # -P: the folder that we are run from must not shadow packages.
        command = command or [sys.executable, "-P", "-m", f"{__package__}.builder", order.written()]
        try:
            with log.open("wb") as said:
                self._process = subprocess.Popen(  # noqa: S603
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
                )
        except OSError as error:
            raise EngineError(f"{order.engine}: cannot start its build ({error.strerror})") from error
        self._reader = Thread(target=self._listen, name="pullfocus-build", daemon=True)
        self._reader.start()

    def poll(self) -> bool:
        code = self._process.poll()
        if code is None:
            self._progress.show(self._stage)
            return False
        self._reader.join()
        if code == 0:
            self._progress.done()
            return True
        self._progress.clear()
        raise EngineError(self._error or self._crash(code))

    def wait(self) -> None:
        try:
            while not self.poll():
                sleep(LOOK_S)
        finally:
            self.stop()

    def stop(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            self._stage, self._error = said.get("stage", self._stage), said.get("error", self._error)

    def _crash(self, code: int) -> str:
        """It died without a word of its own."""
        try:
            last = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        except OSError:
            last = ""
        if is_out_of_memory(RuntimeError(last)):
            return f"{self._name}: its build ran out of memory; {MEMORY_ADVICE}"
        return f"{self._name}: its build ended with code {code} while {self._stage}; {self._log} may say why"
