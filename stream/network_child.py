"""The process that encodes and sends: FFmpeg may wait for a server for ever, and only a process can be ended then."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from threading import Thread
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError

from ..kernels.api import Picture
from ..kernels.errors import PullfocusError
from .clock import MILLISECOND
from .decoding import reason
from .destinations import Destination
from .encoding import Encoding
from .ffmpeg_program import ffmpeg_passing_on, has_srt
from .frame import Frame
from .live_info import live_info
from .picture_encoder import PictureEncoder

CONNECT_S = 10.0
MOST_BITS = 6_000_000  # a second, where the user wishes for none


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What is sent. size_hw: even. rate: frames a second, about. crf and bitrate: as the user wishes, or None."""

    destination: Destination
    size_hw: tuple[int, int]
    rate: float
    crf: float | None = None
    bitrate: int | None = None

    @classmethod
    def read(cls, fields: dict[str, Any]) -> StreamPlan:
        """From what `asdict` has made of one."""
        whole: dict[str, Any] = {
            **fields,
            "destination": Destination(**fields["destination"]),
            "size_hw": tuple(fields["size_hw"]),
        }
        return cls(**whole)

    def encoding(self) -> Encoding:
        """H.264 that every receiver plays and that holds no frame back; a receiver may come in at every second."""
        most = self.bitrate or MOST_BITS
        options = {
            "preset": "veryfast", "tune": "zerolatency", "bf": "0", "g": str(max(1, round(self.rate))),
            "maxrate": str(most), "bufsize": str(most),
        }  # fmt: skip
        if self.bitrate is None:
            options["crf"] = f"{23.0 if self.crf is None else self.crf:g}"
        return Encoding(self.destination.container, "libx264", "yuv420p", options, self.bitrate)


def serve(connection: Connection) -> None:
    """Encode and send pictures until the other end of the connection is closed; messages are JSON.

    Says `{}` when it is ready. The first message to come names the shared memory with the picture (`h w 3` RGB) and
    the plan of what is sent. Each other one is the `pts` (ms) of the picture that lies there then. It is answered
    once the packet is out, with `{"stands": …}`, whether there is a connection; or with `{"error": …}` at the end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches this process too; the parent says when to end
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        with suppress(EOFError):
            connection.send_bytes(b"{}")
            first = json.loads(connection.recv_bytes())
            _send_all(connection, first["memory"], StreamPlan.read(first["plan"]))
    except (FFmpegError, OSError, PullfocusError) as error:
        said = str(error) if isinstance(error, PullfocusError) else reason(error)
        with suppress(OSError):
            connection.send_bytes(json.dumps({"error": said}).encode())


def _send_all(connection: Connection, memory_name: str, plan: StreamPlan) -> None:
    memory = SharedMemory(memory_name)
    picture: Picture = np.ndarray((*plan.size_hw, 3), np.uint8, memory.buf)
    with suppress(EOFError), _sending(plan) as send:
        while True:
            pts = json.loads(connection.recv_bytes())["pts"]
            stands = send(Frame(picture, 0, pts, MILLISECOND))
            connection.send_bytes(json.dumps({"stands": stands}).encode())


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


@contextmanager
def _sending(plan: StreamPlan) -> Generator[Callable[[Frame], bool]]:
    """A function that encodes a frame and sends it, and says whether the connection stands.

    Raises OutputError, FFmpegError, OSError.
    """
    with _output(plan.destination) as (output, stands):
        encoder = PictureEncoder(output, plan.encoding(), live_info(plan.rate), plan.size_hw)
        first_pts: int | None = None

        def send(frame: Frame) -> bool:
            nonlocal first_pts
            first_pts = frame.pts if first_pts is None else first_pts
            output.mux(encoder.encode(frame.picture, replace(frame, pts=frame.pts - first_pts)))
            return stands()

        yield send
        output.mux(encoder.flush())
        output.close()


@contextmanager
def _output(destination: Destination) -> Generator[tuple[OutputContainer, Callable[[], bool]]]:
    """The container, and what tells whether the other side is there."""
    with ExitStack() as stack:
        target, stands = destination.url, _always
        if destination.is_srt and not has_srt():
            program = stack.enter_context(ffmpeg_passing_on(destination))
            target, stands = program.pipe, program.is_connected
        elif (server := destination.http_server) is not None:
            # What is wrong with a segment's upload FFmpeg only says seconds later, and in words of its own.
            socket.create_connection(server, CONNECT_S).close()
        options = destination.options
        output = stack.enter_context(av.open(target, "w", format=destination.container, container_options=options))
        yield output, stands


def _always() -> bool:
    """FFmpeg's own muxers have connected once they have taken a packet."""
    return True
