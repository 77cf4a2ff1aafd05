"""Recordings and still pictures made while a live run goes on: the window's `r` and `c`, the browser page's buttons."""

from __future__ import annotations

import sys
from collections import deque
from datetime import datetime
from pathlib import Path
from threading import Lock, Thread
from time import monotonic

import platformdirs

from ..engines.atomic import make_folder
from ..engines.interrupts import Interrupts
from ..kernels.errors import OutputError, PullfocusError
from .config import Settings
from .frame import Rendered
from .pictures import write_picture
from .take_file import TakeFile

FINISH_S = 10.0  # how long the end of a run waits for its recordings
NEWS = 20  # messages kept for whoever shows them


class Takes:
    """Any thread may ask for a recording or a still; they are made of the frames that `write` is then given.

    Files are named by the moment they were asked for, replace nothing, and appear whole: a recording when it has
    ended, also when that is the end of the run. There is no sound. What goes wrong is told, and the run goes on.
    """

    def __init__(self, folder: Path | None, settings: Settings, rate: float) -> None:
        """folder: for all takes, made when the first is; None = the user's own for videos and pictures.

        settings: their encoding is used where it fits MP4. rate: nominal, in frames a second.
        """
        self._folder, self._wish, self._rate = folder, settings.encoding, rate
        self._lock = Lock()
        self._file: TakeFile | None = None
        self._began_s = 0.0
        self._ending: list[TakeFile] = []
        self._wanted_stills: list[Path] = []
        self._still_threads: list[Thread] = []
        self._news: deque[str] = deque(maxlen=NEWS)

    @property
    def recording(self) -> Path | None:
        """The file being recorded."""
        file = self._file
        return None if file is None else file.path

    @property
    def recorded_s(self) -> float:
        """How long it has been recorded; 0 when nothing is."""
        return monotonic() - self._began_s if self._file is not None else 0.0

    def record(self, on: bool) -> Path | None:
        """Begin a recording or end it; its path, or None when there was none to end. Raises OutputError."""
        with self._lock:
            if on and self._file is None:
                path = self._free_path(self._folder or platformdirs.user_videos_path(), ".mp4")
                self._file, self._began_s = TakeFile(path, self._rate, self._wish, self._tell), monotonic()
            file = self._file
            if not on:
                self._end_recording()
        return None if file is None else file.path

    def still(self) -> Path:
        """Keep the next frame as a picture; the path that it will have. Raises OutputError."""
        with self._lock:
            path = self._free_path(self._folder or platformdirs.user_pictures_path(), ".png")
            self._wanted_stills.append(path)
        return path

    def write(self, rendered: Rendered) -> None:
        """Give a frame to what was asked for."""
        if self._file is None and not self._wanted_stills:
            return
        with self._lock:
            wanted, self._wanted_stills = self._wanted_stills, []
            if self._file is not None and not self._file.put(rendered):
                self._end_recording()  # it has ended by itself, and has told why
            if wanted:
                self._still_threads = [thread for thread in self._still_threads if thread.is_alive()]
        for path in wanted:
            thread = Thread(target=self._write_still, args=(path, rendered), name="pullfocus-still", daemon=True)
            self._still_threads.append(thread)
            thread.start()

    def news(self) -> list[str]:
        """What has become of takes since the last call, a line each, to be shown."""
        with self._lock:
            told = list(self._news)
            self._news.clear()
        return told

    def close(self) -> None:
        """End the recording and wait for all files."""
        with self._lock:
            self._end_recording()
        end_s = monotonic() + FINISH_S
        with Interrupts():  # Ctrl-C has ended the run already; what was recorded cannot be made again
            for file in self._ending:
                if not file.join(max(0.0, end_s - monotonic())):
                    self._tell(f"{file.path} was not finished within {FINISH_S:g} s and is lost")
            for thread in self._still_threads:
                thread.join(max(0.0, end_s - monotonic()))

    def _end_recording(self) -> None:
        """With the lock held."""
        if self._file is not None:
            self._file.end()
            self._ending = [file for file in self._ending if not file.join(0.0)] + [self._file]
        self._file = None

    def _write_still(self, path: Path, rendered: Rendered) -> None:
        try:
            write_picture(path, rendered.picture)
            self._tell(f"saved {path}")
        except (PullfocusError, OSError) as error:
            self._tell(f"still lost: {error}".removesuffix("; it was not changed"))

    def _tell(self, text: str) -> None:
        """On the screen, when somebody asks for `news`, and on the terminal."""
        with self._lock:
            self._news.append(text)
        print(f"pullfocus: {text}", file=sys.stderr)

    def _free_path(self, folder: Path, ending: str) -> Path:
        make_folder(folder)
        return _reserve(folder, f"pullfocus-{datetime.now():%Y-%m-%d-%H%M%S}", ending)


_reserved: set[Path] = set()  # by this process: a recording has its name long before its file is there
_reserved_lock = Lock()


def _reserve(folder: Path, stem: str, ending: str) -> Path:
    """A name in `folder` that nothing has. Raises OutputError."""
    with _reserved_lock:
        for number in range(1, 1000):
            path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{ending}"
            if path not in _reserved and not path.exists():
                _reserved.add(path)
                return path
    raise OutputError(f"{folder}: no free name for {stem}{ending}")
