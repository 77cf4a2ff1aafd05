"""Several streams at the same time, each a process: what they do together, and how late each of them is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from time import monotonic
from types import TracebackType
from typing import Any

import numpy as np

from ...kernels.errors import EngineError
from .case import Case
from .stream_child import READY, Ask, Told

COMMAND = (sys.executable, "-P", "-m", f"{__package__}.stream_child")
START_S, SETTLE_S = 0.2, 0.5  # until all have heard; and the time in which pipelines fill, which is left out
LONGER = 4  # windows, each twice as long as the one before
END_S = 10.0  # in which a process ends by itself


@dataclass(frozen=True, slots=True)
class Together:
    """What so many streams did in one window, or the medians of several.

    share: of the machine's capacity at which frames came; None: as fast as they went. dropped: share of the frames.
    fps: of all. cpu_ms: of a frame. Latencies: of all their frames.
    """

    streams: int
    share: float | None
    fps: float
    p50_ms: float
    p95_ms: float
    dropped: float
    cpu_ms: float

    def facts(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


class Streams:
    """Processes for up to `count` streams of one case, started at once and ended with the block.

    Raises EngineError when one does not start or ends by itself.
    """

    def __init__(self, case: Case, count: int, command: Sequence[str] = COMMAND) -> None:
        self._case, self._count, self._command = case, count, command
        self._stack, self._running = ExitStack(), list[subprocess.Popen[str]]()

    def __enter__(self) -> Streams:
        facts = json.dumps(self._case.facts())
        try:
            for _ in range(self._count):
                process = subprocess.Popen(  # noqa: S603
                    [*self._command, facts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
                self._stack.callback(_end, process)
                self._running.append(process)
            for process in self._running:
                if _line(process).strip() != READY:
                    raise EngineError(f"a stream of {self._case.name} did not start")
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for process in self._running:
                process.kill()
        self._stack.close()

    def run(self, count: int, seconds: float, share: float | None = None, capacity_fps: float = 0.0) -> Together:
        """The first `count` streams for so long, or longer where that makes no frame.

        share: of `capacity_fps` that all of them together are offered.
        """
        rate = None if share is None else share * capacity_fps / count
        for longer in range(LONGER):
            ask = Ask(monotonic() + START_S, monotonic() + START_S + SETTLE_S + seconds * 2**longer, rate)
            found = together(self._told(count, ask), ask, share)
            if found is not None:
                return found
        raise EngineError(f"{count} streams of {self._case.name} made no frame; the machine is too busy to measure")

    def _told(self, count: int, ask: Ask) -> list[Told]:
        for process in self._running[:count]:
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps(asdict(ask)) + "\n")
                process.stdin.flush()
            except OSError as error:
                raise EngineError(f"a stream of {self._case.name} has ended ({error.strerror})") from error
        return [Told(**json.loads(_line(process))) for process in self._running[:count]]


def together(told: Sequence[Told], ask: Ask, share: float | None) -> Together | None:
    """Count what was handed over after the pipelines had filled and before the first source could end.

    None: nothing was.
    """
    from_s, latencies_s, frames, dropped = ask.from_s + SETTLE_S, list[float](), 0, 0
    for each in told:
        for handed_s, latency_s in zip(each.handed_s, each.latency_s, strict=True):
            if from_s <= handed_s < ask.until_s:
                latencies_s.append(latency_s)
        frames, dropped = frames + len(each.handed_s), dropped + each.dropped
    if not latencies_s:
        return None
    p50_ms, p95_ms = (float(value) * 1e3 for value in np.percentile(latencies_s, (50, 95)))
    cpu_ms = sum(each.cpu_s for each in told) * 1e3 / max(frames, 1)
    fps = len(latencies_s) / (ask.until_s - from_s)
    return Together(len(told), share, fps, p50_ms, p95_ms, dropped / max(frames + dropped, 1), cpu_ms)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise EngineError(f"a stream's process ended with exit code {process.wait()}")
    return line


def _end(process: subprocess.Popen[str]) -> None:
    """By the end of its input, or else by force."""
    with process:
        assert process.stdin is not None
        try:
            process.stdin.close()
            process.wait(END_S)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
