"""A lock that dies with its process, so that two runs do not write into one folder."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@dataclass(frozen=True, slots=True)
class Locked:
    """A file that is locked while its descriptor is open; -1 where the system cannot lock."""

    descriptor: int

    def release(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


def lock(path: Path) -> Locked | None:
    """Lock the file `path`, made where it is missing; None where another process holds it."""
    if sys.platform == "win32":
        return Locked(-1)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return Locked(-1)  # a folder that cannot be written to: what comes next says so
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # some network file systems have no locks
        return Locked(descriptor)
    # The one who held it may have deleted it since it was opened here.
    if not path.exists() or path.stat().st_ino != os.fstat(descriptor).st_ino:
        os.close(descriptor)
        return None
    return Locked(descriptor)
