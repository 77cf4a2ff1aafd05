"""One of several streams side by side: the program's pipeline, run whenever the starter asks for it.

It writes `ready`, then reads a line of JSON for each run (`Ask`) and answers with one (`Told`), until its input ends.
All clocks are the system's monotonic one, which all processes share.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from time import monotonic, process_time, sleep
from typing import Any

from ...stream.focus import FocusPuller
from ...stream.frame import Frame, Rendered
from ...stream.pipeline import run
from ...stream.prepare import net_parts
from ..pictures_720p import panned_photo
from .case import Case
from .child import engine_of, share_threads

PICTURES, READY = 12, "ready"


@dataclass(frozen=True, slots=True)
class Ask:
    """From when to when frames are captured. rate: frames a second of a live source, None = as fast as it goes."""

    from_s: float
    until_s: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """Of every frame: when it was handed over, and how long after its capture. cpu_s: of the whole run."""

    handed_s: list[float]
    latency_s: list[float]
    dropped: int
    cpu_s: float


class Repeated:
    """A source of the same pictures to and fro. A live one stamps a frame with the moment it is due, so that coming
    late counts as latency; where the pipeline is behind, the newest frame wins."""

    def __init__(self, pictures: Sequence[Frame], ask: Ask) -> None:
        self._cycle = [*pictures, *pictures[-2:0:-1]]
        self._ask, self.live = ask, ask.rate is not None

    def frames(self) -> Iterator[Frame]:
        ask, index = self._ask, 0
        sleep(max(0.0, ask.from_s - monotonic()))
        while (now_s := monotonic()) < ask.until_s:
            if ask.rate is not None:
                due_s = ask.from_s + index / ask.rate
                if due_s >= ask.until_s:
                    return
                sleep(max(0.0, due_s - now_s))
                now_s = due_s
            yield replace(self._cycle[index % len(self._cycle)], index=index, pts=index, captured_s=now_s)
            index += 1


class Taken:
    """A sink that notes when frames come."""

    def __init__(self) -> None:
        self.handed_s, self.latency_s = list[float](), list[float]()

    def write(self, rendered: Rendered) -> bool:
        now_s = monotonic()
        self.handed_s.append(now_s)
        self.latency_s.append(now_s - rendered.frame.captured_s)
        return True


class StreamOf:
    """A case's engine and pictures, for one run after another."""

    def __init__(self, case: Case) -> None:
        self._settings, self._engine = case.settings(), engine_of(case)
        self._pictures = panned_photo(PICTURES, case.size_hw)
        self._engine.infer(self._pictures[0].picture8)

    def answer(self, ask: Ask) -> Told:
        stages = net_parts(self._engine, self._settings).stages(self._settings, FocusPuller(self._settings))
        sink, cpu_s = Taken(), process_time()
        report = run(Repeated(self._pictures, ask), stages, sink, capacity=1)
        return Told(sink.handed_s, sink.latency_s, report.dropped, process_time() - cpu_s)


def main() -> None:
    """The case stands on the command line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its starter ends it
    facts: dict[str, Any] = json.loads(sys.argv[1])
    case = Case(**facts)
    share_threads(case.threads)
    stream = StreamOf(case)
    print(READY, flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(stream.answer(Ask(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()
