"""Programs and servers that send video to a source under test."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import cv2
import numpy as np

from .command import PULLFOCUS

LIVE = (str(PULLFOCUS), "live", "--engine", "plane")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-v", "error", "-nostdin", *arguments]


def pattern(size: str = "160x120", rate: int = 20, seconds: int = 60) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}")


@contextmanager
def sender(*arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """FFmpeg, sending until the block ends."""
    with subprocess.Popen(ffmpeg(*arguments), stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


class Mjpeg(ThreadingHTTPServer):
    """Pictures over HTTP as cheap network cameras give them, at 20 a second until it is stopped."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, size_hw: tuple[int, int] = (96, 128)) -> None:
        super().__init__(("127.0.0.1", port), Pictures)
        self.size_hw, self.stopped = size_hw, Event()
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        self.shutdown()
        self.server_close()


class Pictures(BaseHTTPRequestHandler):
    server: Mjpeg  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        number = 0
        while not self.server.stopped.wait(0.05):
            picture = np.full((*self.server.size_hw, 3), 60, np.uint8)
            cv2.circle(picture, (20 + number % 80, 40), 15, (255, 255, 255), -1)
            jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            number += 1

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serving(folder: Path, port: int = 0) -> Generator[str]:
    """A web server that gives out `folder`, for the block; its address."""
    server = Server(("127.0.0.1", port), partial(_Files, directory=str(folder)))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
