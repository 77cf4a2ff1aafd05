"""SRT by the program ffmpeg, where the FFmpeg inside PyAV has none: it passes on the MPEG-TS that it is given."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import IO
from urllib.parse import unquote

import av
from av.error import FFmpegError, ProtocolNotFoundError

from ..kernels.errors import OutputError
from .decoding import reason
from .destinations import Destination

END_S = 0.5  # how long it may take to send the rest
_MISSING = "the FFmpeg inside PyAV has no SRT, and there is no program ffmpeg to send it; install ffmpeg"
# It is not to look at the stream for long before it passes it on, and to tell its progress from the first packet on.
_READ = ("-fflags", "nobuffer", "-analyzeduration", "100000", "-f", "mpegts", "-i", "-")
_SECRETS = ("passphrase", "streamid")
_TELL = ("-loglevel", "error", "-nostats", "-progress", "pipe:1", "-stats_period", "0.1")


@dataclass(frozen=True, slots=True)
class PassingOn:
    """A running program. pipe: its standard input."""

    pipe: IO[bytes]
    connected: Event

    def is_connected(self) -> bool:
        return self.connected.is_set()


def has_srt() -> bool:
    """Whether PyAV's own FFmpeg speaks SRT."""
    try:
        av.open("srt://")  # without a host: refused at once by what knows the protocol
    except ProtocolNotFoundError:
        return False
    except (FFmpegError, OSError):
        return True
    return True


@contextmanager
def ffmpeg_passing_on(destination: Destination) -> Generator[PassingOn]:
    """The program, started. Raises OutputError when it is not installed, or with what it complained of."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise OutputError(_MISSING)
    process = _started(found, destination)
    assert process.stdin is not None
    try:
        yield PassingOn(process.stdin, _first_progress(process))
        process.stdin.close()
    except (FFmpegError, OSError) as error:
        raise OutputError(f"ffmpeg: {_complaint(process, destination) or reason(error)}") from error
    finally:
        with suppress(OSError):
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
        process.kill()


def _started(program: str, destination: Destination) -> subprocess.Popen[bytes]:
    address, secrets = _without_secrets(destination.url)
    pipe = subprocess.PIPE
    readable, writable = os.pipe()
    try:
        # Every user of the machine may read a program's arguments; a file of options is read by it alone.
        os.write(writable, secrets)
        os.close(writable)
        options = ("-fpre", f"/dev/fd/{readable}") if secrets else ()
        command = [program, *_TELL, *_READ, "-c", "copy", *options, "-f", destination.container, address]
        # A list of arguments and no shell: whatever the address holds, it is one argument.
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=[readable])  # noqa: S603
    finally:
        os.close(readable)


def _without_secrets(url: str) -> tuple[str, bytes]:
    """The address without its passphrase and stream id, and these as lines of a file of options."""
    address, mark, query = url.partition("?")
    fields = query.split("&")
    secret = [field for field in fields if field.partition("=")[0] in _SECRETS]
    rest = "&".join(field for field in fields if field not in secret)
    return address + (mark + rest if rest else ""), b"".join(_option(field) for field in secret)


def _option(field: str) -> bytes:
    """A line of a file of options. FFmpeg decodes a stream id in an address, a passphrase it takes as it is."""
    name, _, value = field.partition("=")
    value = unquote(value) if name == "streamid" else value
    return f"{name}={' '.join(value.splitlines())}\n".encode()


def _first_progress(process: subprocess.Popen[bytes]) -> Event:
    """Set once it tells of its progress, which it does only after it has connected."""
    connected, told = Event(), process.stdout
    assert told is not None

    def read() -> None:
        for line in told:
            if line.startswith(b"out_time"):
                connected.set()

    Thread(target=read, name="pullfocus-ffmpeg", daemon=True).start()
    return connected


def _complaint(process: subprocess.Popen[bytes], destination: Destination) -> str:
    process.kill()
    assert process.stderr is not None
    lines = process.stderr.read().decode(errors="replace").strip().splitlines()
    return lines[-1].replace(_without_secrets(destination.url)[0], destination.name) if lines else ""
