"""A live stream to a server or a receiver: H.264 by RTMP, RTSP, MPEG-TS over UDP or SRT, or HLS."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from threading import Event
from time import monotonic
from types import TracebackType
from typing import Any, cast

import numpy as np

from ..kernels.api import Picture
from ..kernels.errors import OutputError
from .destinations import Destination
from .encoding_wish import EncodingWish
from .fitting import FixedSize
from .frame import Frame, Rendered
from .live_info import nominal_rate
from .network_child import StreamPlan, serve
from .outlet import FrameLost

START_S = 60.0  # a second or two on a machine that does nothing else
ANSWER_S = 15.0  # a server that takes no frame for so long is gone; connecting is within it
END_S = 0.7  # how long an answer, and then the rest of the stream, may take at the end
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0  # before the connection is tried again, twice as long each time
_LOOK_S = 0.1


class NetworkSink:
    """Sends frames; a lost connection is made again, with longer and longer waits. One that never stood is an error."""

    def __init__(self, destination: Destination, rate: float | None, wish: EncodingWish) -> None:
        """rate: frames a second that were asked for. wish: its quality or bitrate counts."""
        self._destination, self._rate, self._wish = destination, rate, wish
        self._fit = FixedSize()
        self._stopped = Event()
        self._sender: Sender | None = None
        self._has_sent = self._stood = self._lost = False
        self._wait_s = FIRST_WAIT_S

    def __enter__(self) -> NetworkSink:
        self._sender = Sender(self._destination.name, self._stopped)  # it takes a second to start: before the frames
        return self

    def write(self, rendered: Rendered) -> bool:
        """Raises OutputError when the first connection cannot be made, FrameLost while a later one cannot."""
        picture = self._fit(cast(Picture, rendered.picture))
        try:
            self._sender = self._sender or Sender(self._destination.name, self._stopped)
            stands = self._sender.send(picture, rendered.frame.pts, self._plan(rendered.frame))
        except OutputError as error:
            self._close()
            if not self._stood:
                raise
            self._say_lost(error)
            self._stopped.wait(self._wait_s)
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
            raise FrameLost from error
        self._has_sent = True
        if stands:
            self._stands()
        return True

    def stop(self) -> None:
        """The run ends: no more waiting. Any thread may call."""
        self._stopped.set()

    def _plan(self, frame: Frame) -> StreamPlan:
        assert self._fit.size_hw is not None
        rate = nominal_rate(frame, self._rate)
        return StreamPlan(self._destination, self._fit.size_hw, rate, self._wish.crf, self._wish.bitrate)

    def _stands(self) -> None:
        if self._lost:
            print(f"pullfocus: {self._destination.name} is connected again", file=sys.stderr)
        self._stood, self._lost, self._wait_s = True, False, FIRST_WAIT_S

    def _say_lost(self, error: OutputError) -> None:
        if not self._lost and not self._stopped.is_set():
            print(f"pullfocus: {error}; trying again until the run ends", file=sys.stderr)
        self._lost = True

    def _close(self) -> None:
        if self._sender is not None:
            self._sender.close()
        self._sender = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises OutputError when there was never a connection, of a run that ends without an error."""
        is_silent = self._sender is not None and self._has_sent and not self._stood
        self._close()
        if is_silent and error is None:
            raise OutputError(f"--sink {self._destination.name}: cannot send (there was no connection until the end)")


class Sender:
    """A connection, in a process of its own that can be ended whatever FFmpeg waits for. One thread calls it."""

    def __init__(self, name: str, stopped: Event) -> None:
        """Starts the process. stopped: when set, nothing is waited for any longer than END_S."""
        self._name, self._stopped = name, stopped
        self._memory: SharedMemory | None = None
        self._picture: Picture = np.empty((0, 0, 3), np.uint8)
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=serve, args=(theirs,), name="pullfocus-network", daemon=True
        )
        with _deaf_to_ctrl_c():
            self._process.start()
        theirs.close()

    def send(self, picture: Picture, pts: int, plan: StreamPlan) -> bool:
        """Encode and send; returns, when it is out, whether there is a connection.

        pts: in ms. plan: that of the first call counts. Raises OutputError.
        """
        if self._memory is None:
            self._memory = SharedMemory(create=True, size=picture.nbytes)
            self._picture = np.ndarray(picture.shape, np.uint8, self._memory.buf)
            self._answer(START_S)
            self._tell({"memory": self._memory.name, "plan": asdict(plan)})
        self._picture[:] = picture
        self._tell({"pts": pts})
        answer = self._answer(ANSWER_S)
        if "error" in answer:
            raise OutputError(f"--sink {self._name}: cannot send ({answer['error']})")
        return bool(answer["stands"])

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # it may have ended, and said why
            self._connection.send_bytes(json.dumps(message).encode())

    def _answer(self, limit_s: float) -> dict[str, Any]:
        started_s, stopped_s = monotonic(), None
        while not self._connection.poll(_LOOK_S):
            now_s = monotonic()
            if self._stopped.is_set():
                stopped_s = stopped_s or now_s
            if now_s - started_s > limit_s or (stopped_s is not None and now_s - stopped_s > END_S):
                raise OutputError(f"--sink {self._name}: cannot send (no answer within {now_s - started_s:.0f} s)")
        return _read(self._connection)

    def close(self) -> None:
        """Let it send what it still holds, but not for long."""
        self._connection.close()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._picture = np.empty((0, 0, 3), np.uint8)  # the memory cannot be closed while something points into it
        if self._memory is not None:
            self._memory.close()
            self._memory.unlink()


def _read(connection: Connection) -> dict[str, Any]:
    try:
        return json.loads(connection.recv_bytes())
    except (EOFError, OSError):
        return {"error": "the process that sends has ended"}


@contextmanager
def _deaf_to_ctrl_c() -> Generator[None]:
    """A process started within begins with Ctrl-C blocked, so that it dies in none of its imports."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which the first process starts, and unblocks Ctrl-C again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
