"""A job on a video that was broken off, and ways to break it off and to go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.stream.config import Settings
from pullfocus.stream.job_folder import JobFolder
from pullfocus.stream.report import Report
from pullfocus.stream.state import State
from pullfocus.stream.targets import Point
from pullfocus.stream.video_job import refocus_video

from .probe import decode_all

SEGMENT = 12
FRAMES = 2 * SEGMENT + 5
SIZE_WH = (64, 48)
SETTINGS = Settings(focus=Point(0.5, 0.4), depth_range="auto", net_every=3, engine=EngineRequest("plane"))
JOB = f"""
import resource, sys
from pathlib import Path
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.errors import PullfocusError
from pullfocus.stream.config import Settings
from pullfocus.stream.targets import Point
from pullfocus.stream.video_job import refocus_video
folder, room = Path(sys.argv[1]), int(sys.argv[2])
if room:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
settings = Settings(focus=Point(0.5, 0.4), depth_range="auto", net_every=3, engine=EngineRequest("plane"))
files = dict(source_path=str(folder / "in.mp4"), target=folder / "out.mp4", depth_out=folder / "depth.mkv")
try:
    refocus_video(settings=settings, **files, resume=True, segment_frames={SEGMENT})
except PullfocusError as error:
    sys.exit(f"pullfocus: {{error}}")
"""


def refocus(
    folder: Path, out: Path, settings: Settings = SETTINGS, resume: bool = False, overwrite: bool = False
) -> Report:
    return refocus_video(
        str(folder / "in.mp4"),
        out,
        settings,
        depth_out=out.with_name("depth.mkv"),
        overwrite=overwrite,
        resume=resume,
        segment_frames=SEGMENT,
    )


def frames_of(path: Path) -> list[bytes]:
    return [frame.to_ndarray().tobytes() for frame in decode_all(path)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@dataclass(frozen=True)
class Broken:
    """A folder with in.mp4, and an unfinished job out.mp4 + depth.mkv of two whole segments."""

    folder: Path
    whole: Path  # another folder, with both files as an unbroken run writes them

    @property
    def out(self) -> Path:
        return self.folder / "out.mp4"

    @property
    def job(self) -> Path:
        return self.folder / ".out.mp4.pullfocus"

    def resume(self, settings: Settings = SETTINGS) -> list[str]:
        return refocus(self.folder, self.out, settings, resume=True).notes

    def assert_as_unbroken(self) -> None:
        assert self.out.read_bytes() == (self.whole / "out.mp4").read_bytes()
        assert frames_of(self.folder / "depth.mkv") == frames_of(self.whole / "depth.mkv")
        assert names(self.folder) == ["depth.mkv", "in.mp4", "out.mp4"]


@contextmanager
def interrupted_at(segment: int) -> Generator[None]:
    """Ctrl-C comes once a job has kept its state before this segment; later it would meet the tests' own code."""
    save = JobFolder.save

    def save_and_interrupt(job: JobFolder, number: int, state: State) -> None:
        save(job, number, state)
        if number == segment:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JobFolder, "save", save_and_interrupt)
        yield


def run_job(folder: Path, room: int = 0) -> subprocess.Popen[str]:
    """The job in a process of its own. room: the largest file that it may write, 0 = any."""
    command = [sys.executable, "-c", JOB, str(folder), str(room)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
