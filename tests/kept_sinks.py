"""Sinks that remember what they were given, and frames and a report for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from pullfocus.kernels.errors import OutputError
from pullfocus.stream.frame import Rendered
from pullfocus.stream.report import Meter, Report
from pullfocus.stream.synthetic import SyntheticSource

from .unchanged import Render


def frames(count: int) -> Iterator[Rendered]:
    for frame in SyntheticSource((32, 48), live=False, frames=count).frames():
        yield Render()(frame)


class Keep:
    """Remembers the numbers of the frames it was given; may fail from one on, or wait there until it is let go."""

    def __init__(self, fail_at: int | None = None, wait_at: int | None = None) -> None:
        self.seen: list[int] = []
        self.threads: set[int] = set()
        self.go_on = threading.Event()
        self._fail_at, self._wait_at = fail_at, wait_at

    def write(self, rendered: Rendered) -> bool:
        number = rendered.frame.index
        self.threads.add(threading.get_ident())
        if self._fail_at is not None and number >= self._fail_at:
            raise OutputError("frames cannot be sent")
        if self._wait_at is not None and number >= self._wait_at:
            self.go_on.wait()
        self.seen.append(number)
        return True


def report() -> Report:
    return Meter(["source", "sink"]).report([], "plane", [])
