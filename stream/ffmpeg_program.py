"""SRT by the program ffmpeg, where the FFmpeg inside PyAV has none: it passes on the MPEG-TS that it is given."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import IO

import av
from av.error import FFmpegError, ProtocolNotFoundError

from ..kernels.errors import OutputError
from .destinations import Destination
from .video_in import reason

END_S = 0.5  # how long it may take to send the rest
_MISSING = "the FFmpeg inside PyAV has no SRT, and there is no program ffmpeg to send it; install ffmpeg"
# It is not to look at the stream for long before it passes it on, and to tell its progress from the first packet on.
_READ = ("-fflags", "nobuffer", "-analyzeduration", "100000", "-f", "mpegts", "-i", "-")
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
    command = [found, *_TELL, *_READ, "-c", "copy", "-f", destination.container, destination.url]
    # A list of arguments and no shell: whatever the address holds, it is one argument.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
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
    return lines[-1].replace(destination.url, destination.name) if lines else ""
