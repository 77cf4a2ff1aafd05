"""The folder beside a file in the making: what is finished of it, and what the stages knew at the end of that.

`.NAME.pullfocus/` holds `job.json` (which job this is), the segments `000012.video`, the stages' state before the
first frame of segment 13 as `000013.state`, and in the end `complete.json`. It goes when the file is there.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from ..engines.atomic import write_text
from ..engines.locks import Locked, lock
from ..kernels.errors import InputError, OutputError
from .completed import Completed
from .job_identity import differences
from .packet_file import PacketFile
from .results import Results
from .state import State, load_state, save_state

JOB, COMPLETE, DELIVERED, LOCK = "job.json", "complete.json", "delivered.json", "lock"
LAST = (LOCK, JOB, DELIVERED)  # deleted after all else: with them a half-deleted folder is still understood
STATES_KEPT = 2
SEGMENT_FRAMES = 100
STATES = "[0-9]*.state"  # no half-written one that a kill has left, whose name begins with a dot


class JobFolder:
    """The folder of one job, whose targets, files or folders, appear together. `job_opening.open_job` makes it."""

    def __init__(self, targets: Sequence[Path], segment_frames: int = SEGMENT_FRAMES) -> None:
        """targets: the folder lies beside the first one. segment_frames: the length of all segments but the last."""
        self.segment_frames = segment_frames
        self.targets = tuple(targets)
        self.path = self.targets[0].with_name(f".{self.targets[0].name}.pullfocus")
        self.results = Results(self.targets, self.path / DELIVERED)
        self.reached = 0  # frames
        self.is_finished = False  # all was delivered before this run, which only tidied up
        self._has_begun = False
        self._lock: Locked | None = None

    # What is in it

    def segment(self, number: int, track: str) -> Path:
        return self.path / f"{number:06d}.{track}"

    def _state(self, number: int) -> Path:
        return self.path / f"{number:06d}.state"

    def resume_point(self, tracks: Sequence[str]) -> tuple[int, State]:
        """The segment to go on with, and the stages' state before it: all segments until there are whole."""
        whole = self._whole(tracks)
        for path in sorted(self.path.glob(STATES), reverse=True):
            number = int(path.stem)
            if number <= whole:
                with suppress(InputError):
                    return number, load_state(path)
        return 0, {}

    def _whole(self, tracks: Sequence[str]) -> int:
        """How many segments at the start are whole."""
        number = 0
        while True:
            try:
                for track in tracks:
                    PacketFile(self.segment(number, track)).check()
            except InputError:
                return number
            number += 1

    def completed(self, tracks: Sequence[str]) -> Completed | None:
        """What is known where nothing is left to do but to join the segments."""
        done = Completed.read(self.path / COMPLETE)
        return done if done is not None and self._whole(tracks) >= done.segments else None

    @property
    def holds_work(self) -> bool:
        """Whether a new run would lose something: a state is saved after a whole segment only."""
        return (self.path / COMPLETE).is_file() or any(self.path.glob(STATES))

    # Its life

    def begin(self, identity: State, overwrite: bool) -> None:
        """Make the folder of a new job, or see that the one that is there is of this job.

        Raises InputError for another job's, and OutputError.
        """
        identity = {**identity, "length of segments": str(self.segment_frames)}
        self._make()
        told = self._told()
        if told is None:
            self._has_begun = True
            self.clear()
            write_text(self.path / JOB, json.dumps({"identity": identity, "overwrite": overwrite}))
        else:
            others = differences(told["identity"], identity)
            if others:
                raise InputError(
                    f"{self.targets[0]}: --resume cannot go on: the job was begun with another "
                    f"{', another '.join(others)}; give what it was begun with, or --overwrite instead of --resume to "
                    "start anew"
                )
            for stale in self.path.glob(".*.part*"):
                stale.unlink(missing_ok=True)
        self._has_begun = True

    def _make(self) -> None:
        """The folder, locked."""
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot make this folder ({error.strerror})") from error
        self.take_lock()

    def take_lock(self) -> None:
        """Raises InputError where another run holds it."""
        if self._lock is None:
            self._lock = lock(self.path / LOCK)
        if self._lock is None:
            raise InputError(f"{self.targets[0]}: another run of this job is at work; wait for it, or end it first")

    def release_lock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _told(self) -> dict[str, Any] | None:
        """What `job.json` says; None where there is no job."""
        try:
            told = json.loads((self.path / JOB).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return cast(dict[str, Any], told) if isinstance(told, dict) and "identity" in told else None

    @property
    def exists(self) -> bool:
        return self._told() is not None

    def begun_with(self, name: str) -> str | None:
        """What its identity says of `name`; None where there is no job."""
        told = self._told()
        begun = {} if told is None else told["identity"]
        return begun.get(name) if isinstance(begun, dict) else None  # a job that is no job's `begin` refuses

    @property
    def may_replace(self) -> bool:
        """Whether the job was begun with leave to replace its targets."""
        told = self._told()
        return told is not None and bool(told.get("overwrite"))

    def save(self, number: int, state: State) -> None:
        """The stages' state before segment `number`, whose predecessors are whole. Raises OutputError."""
        with self._naming_the_target():
            save_state(self._state(number), state)
        self._state(number - STATES_KEPT).unlink(missing_ok=True)

    def complete(self, done: Completed) -> None:
        """Nothing is left to do but to join the segments. Raises OutputError."""
        with self._naming_the_target():
            done.write(self.path / COMPLETE)

    @contextmanager
    def _naming_the_target(self) -> Generator[None]:
        """Errors name what the user knows, not a file of this folder."""
        try:
            yield
        except OutputError as error:
            reason = getattr(error.__cause__, "strerror", None) or error
            raise OutputError(f"{self.targets[0]}: cannot keep what is done ({reason})") from error

    # Its end

    def deliver(self) -> None:
        """Give the targets, all written aside, their names, and remove the folder. Raises OutputError."""
        self.results.deliver()
        self.remove()

    def clear(self) -> None:
        """Forget all work."""
        try:
            self.results.discard()
            for path in self.path.iterdir():
                if path.name != LOCK:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot empty this folder ({error.strerror})") from error

    def remove(self) -> None:
        """Delete the folder, in an order that leaves no half of it that says something else than the whole did."""
        with suppress(OSError):  # what cannot be deleted is in nobody's way
            self.results.discard()
            first = [path for path in self.path.iterdir() if path.name not in LAST]
            for path in (*first, *(self.path / name for name in LAST)):
                path.unlink(missing_ok=True)
            self.path.rmdir()

    def leave(self) -> str:
        """The run ends early: keep what a later one can go on with, and say how; else keep nothing."""
        if not self._has_begun:
            return ""
        if not self.holds_work:
            self.remove()
            return ""
        with suppress(OSError, OutputError):
            self.results.recover()
            self.results.discard()
        return "what is done is kept, and the same command with --resume goes on"
