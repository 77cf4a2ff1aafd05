"""Does a long live run outlive lost cameras, other sizes and a restless user, in the same memory?

    .venv/bin/python -m pullfocus.benchmarks.live_soak --minutes 30 --json OUT

`pullfocus live` itself, with a camera that is lost and comes back in another size, and with a user who clicks, changes
the view, the layers and the aperture about twice a second; all of it from one seed. Exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import get_args

import numpy as np
import psutil

from ..engines.atomic import write_text
from ..engines.build import EngineChoice, EngineRequest
from ..stream.config import Settings, View
from ..stream.controls import Controls
from ..stream.fan import Fan
from ..stream.frame import Frame, Rendered
from ..stream.live_job import run_live
from ..stream.live_request import LiveRequest
from ..stream.outlet import OpenSink
from ..stream.reconnecting import Reconnecting
from ..stream.targets import Auto, Nearest, Point
from ..training.tool import one_line_errors
from .lossy_camera import LossyCamera, Mishaps, is_after_loss
from .machine import describe_machine
from .soak import Memory, summarise

RETURN_LIMIT_S = 2.0  # from a camera's return to its first frame in the sink
VIEWS: tuple[View, ...] = get_args(View)


@dataclass(frozen=True, slots=True)
class LiveSoakRequest:
    """What to run. stall_s: as `Reconnecting` takes it. memory_tolerance: the growth allowed, as a share.

    return_limit_s: from a camera's return to a frame of it in the sink.
    """

    seconds: float
    engine: EngineChoice = "auto"
    seed: int = 1
    mishaps: Mishaps = field(default_factory=Mishaps)
    stall_s: float = 2.0
    sample_every_s: float = 5.0
    warm_up_share: float = 0.2
    memory_tolerance: float = 0.05
    return_limit_s: float = RETURN_LIMIT_S


@dataclass(frozen=True, slots=True)
class LiveSoakResult:
    """Figures, and one line for everything that is wrong. growth: of resident memory, last third against the first."""

    frames: int
    dropped: int
    fps: float
    losses: int
    away_s: float
    slowest_return_s: float
    turns: int
    memory: Memory
    growth: float
    faults: list[str] = field(default_factory=list[str])


class RestlessUser:
    """A sink whose user turns everything at random; it ends the run after `seconds`, and samples memory."""

    def __init__(self, request: LiveSoakRequest, camera: LossyCamera, controls: Controls) -> None:
        self._request, self._camera, self._controls = request, camera, controls
        self._random = np.random.default_rng(request.seed + 1)
        self._started_s = self._sampled_s = monotonic()
        self._returned = 0  # as often as it had been lost
        self.turns = 0
        self.returns_s: list[float] = []
        self.samples: list[tuple[float, float]] = []

    def write(self, rendered: Rendered, /) -> bool:
        self._watch_for_return(rendered.frame)
        if self._random.random() < 0.1:
            self._turn()
        return self.idle()

    def idle(self) -> bool:
        now_s = monotonic()
        if now_s - self._sampled_s >= self._request.sample_every_s:
            self._sampled_s = now_s
            self.samples.append((now_s - self._started_s, psutil.Process().memory_info().rss / 2**20))
        return now_s - self._started_s < self._request.seconds

    def _watch_for_return(self, frame: Frame) -> None:
        """How long after the camera's return its first frame is here."""
        losses = self._camera.losses
        if losses > self._returned and is_after_loss(frame, losses):
            self._returned = losses
            self.returns_s.append(monotonic() - self._camera.returned_s)

    def _turn(self) -> None:
        self.turns += 1
        match int(self._random.integers(6)):
            case 0:
                self._controls.change(view=VIEWS[self._random.integers(len(VIEWS))])
            case 1:
                self._controls.change(layers=int(self._random.integers(2, 17)))
            case 2:
                self._controls.change(aperture=float(self._random.uniform(0.0, 8.0)))
            case 3:
                self._controls.focus_on((Auto(), Nearest())[self._random.integers(2)])
            case 4:
                self._controls.mirror = not self._controls.mirror
            case _:
                self._controls.focus_on(Point(float(self._random.random()), float(self._random.random())))


def live_soak(request: LiveSoakRequest) -> LiveSoakResult:
    """Run in this process. Raises what a run raises."""
    camera = LossyCamera(request.seed, request.mishaps)
    users: list[RestlessUser] = []

    def opened(stack: ExitStack, _request: LiveRequest) -> Reconnecting:
        source = Reconnecting("the camera", camera.opened, own_size=True, stall_s=request.stall_s)
        stack.callback(source.close)
        return source

    def sinks(fan: Fan, _request: LiveRequest, controls: Controls) -> None:
        users.append(RestlessUser(request, camera, controls))
        fan.add_inline(OpenSink("user", users[0]))

    settings = Settings(engine=EngineRequest(request.engine))
    report = run_live(LiveRequest("camera", ("null",)), settings, opened, sinks)
    user = users[0]
    memory = summarise(user.samples, request.seconds * request.warm_up_share)
    grown = growth(user.samples, request.seconds * request.warm_up_share)
    result = LiveSoakResult(
        report.frames, report.dropped, report.fps, report.losses, report.away_s,
        max(user.returns_s, default=0.0), user.turns, memory, grown,
    )  # fmt: skip
    result.faults.extend(find_faults(request, result, camera.losses, len(user.returns_s)))
    return result


def growth(samples: list[tuple[float, float]], after_s: float) -> float:
    """Median memory of the last third of the samples after `after_s` against the first third's, as a share."""
    kept = [memory for time_s, memory in samples if time_s > after_s]
    third = len(kept) // 3
    return float(np.median(kept[-third:]) / np.median(kept[:third])) - 1.0 if third else 0.0


def find_faults(request: LiveSoakRequest, result: LiveSoakResult, lost: int, returned: int) -> list[str]:
    """What is wrong, a line each. lost, returned: how often the camera was."""
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("pullfocus-")]
    checks = {
        f"no frame came after {lost - returned} of {lost} losses": lost - returned
        > 1,  # the last may have been too late
        f"{result.slowest_return_s:.1f} s from a camera's return to its frame": (
            result.slowest_return_s > request.return_limit_s
        ),
        f"threads are left: {', '.join(left)}": bool(left),
        f"memory has grown by {result.growth:.1%}": result.growth > request.memory_tolerance,
        "the camera was never lost": lost == 0,
        "no frame came": result.frames == 0,
    }
    return [text for text, is_fault in checks.items() if is_fault]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--engine", default="auto", choices=get_args(EngineChoice), help="as in `pullfocus live`")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    request = LiveSoakRequest(options.minutes * 60.0, options.engine, options.seed)
    result = live_soak(request)
    if options.json is not None:
        facts = {"request": asdict(request), "result": asdict(result), "environment": describe_machine()}
        write_text(options.json, json.dumps(facts, indent=1) + "\n")
    print(f"{result.frames} frames, {result.fps:.1f} fps, {result.turns} turns of the user")
    print(f"{result.losses} losses, {result.away_s:.0f} s away, at most {result.slowest_return_s:.2f} s to come back")
    print(f"memory: median {result.memory.median_mb:.0f} MiB, grown by {result.growth:.1%}")
    print("\n".join(f"FAULT {fault}" for fault in result.faults) or "live soak: all well")
    return 1 if result.faults else 0


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
