"""Open the folder of a job: what is there already, and what is kept of it where the run ends early."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..engines.atomic import check_target
from ..kernels.errors import InputError, PullfocusError
from .job_folder import SEGMENT_FRAMES, JobFolder


@contextmanager
def open_job(
    targets: Sequence[Path],
    *,
    resume: bool,
    overwrite: bool,
    segment_frames: int = SEGMENT_FRAMES,
    check: Callable[[Path, bool], None] = check_target,
) -> Generator[JobFolder]:
    """The folder of the job that makes `targets`; `begin` it when all that can be refused has been.

    check: raises InputError for a target that cannot be written, or that would be lost without leave.
    An end by an error or Ctrl-C keeps what is done; a message says so, of KeyboardInterrupt a note. Raises InputError
    where an unfinished job or a target is in the way, or another run at work, and OutputError.
    """
    job = JobFolder(targets, segment_frames)
    try:
        _look(job, resume, overwrite, check)
        yield job
    except KeyboardInterrupt as stop:
        if left := job.leave():
            stop.add_note(f"interrupted after frame {job.reached}; {left}")
        raise
    except PullfocusError as error:
        left = job.leave()
        if not left:
            raise
        raise type(error)(f"{error}; {left}") from error
    finally:
        job.release_lock()


def _look(job: JobFolder, resume: bool, overwrite: bool, check: Callable[[Path, bool], None]) -> None:
    """What is there already."""
    if job.exists:
        job.take_lock()
        job.results.recover()
        if all(job.results.has_delivered(target) for target in job.targets):
            job.remove()
            job.release_lock()
            job.is_finished = resume
        elif not resume and not overwrite and job.holds_work:
            raise InputError(
                f"{job.targets[0]} has an unfinished job: --resume goes on with it, --overwrite starts anew"
            )
        elif not resume:
            job.remove()
            job.release_lock()
    if not job.is_finished:
        for target in job.targets:
            check(target, overwrite or job.may_replace or job.results.has_delivered(target))
