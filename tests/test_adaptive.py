"""`--adaptive`: decisions on a simulated machine, the stages that follow them, and a real run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels import Kernels
from pullfocus.stream.adaptive import FINE_COST, LADDER, Choice, Governor, Level, Sample, predicted_ms
from pullfocus.stream.config import Settings
from pullfocus.stream.controls import Controls
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.stages import NetDepth
from pullfocus.stream.synthetic import SyntheticSource

from .command import PULLFOCUS

pytestmark = pytest.mark.real_time

FAST = Level("fast", 1)


@dataclass
class Machine:
    """A machine in simulated time: its net and its blur take so many ms; frames come at `rate`."""

    governor: Governor
    rate: float = 30.0
    net_ms: float = 20.0
    blur_ms: float = 10.0
    latency_ms: float = 80.0
    real_fine: float = FINE_COST
    now_s: float = 0.0
    delivered: float = 0.0
    arrived: float = 0.0
    taken: list[tuple[float, Level]] = field(default_factory=list[tuple[float, Level]])

    def run(self, seconds: float) -> list[Level]:
        """The levels taken within `seconds`."""
        end_s, taken = self.now_s + seconds, list[Level]()
        while self.now_s < end_s:
            self.now_s += 0.2
            depth_ms = self.net_ms / self.governor.level.net_every
            refocus_ms = self.blur_ms * (self.real_fine if self.governor.level.quality == "fine" else 1.0)
            self.arrived += self.rate * 0.2
            self.delivered += min(self.rate, 1000 / max(depth_ms, refocus_ms)) * 0.2
            costs = {"source": 500.0, "depth": depth_ms, "layers": 1.0, "refocus": refocus_ms, "sink": 500.0}
            sample = Sample(self.now_s, round(self.delivered), round(self.arrived), self.latency_ms, costs)
            if choice := self.governor.look(sample):
                taken.append(choice.level)
                self.taken.append((self.now_s, choice.level))
        return taken


def test_a_machine_that_is_fast_enough_is_left_alone() -> None:
    machine = Machine(Governor(LADDER[0], 30.0), net_ms=10.0, blur_ms=5.0)
    assert machine.run(600.0) == []


def test_a_slow_net_is_asked_less_often_and_soon() -> None:
    machine = Machine(Governor(FAST, 30.0), net_ms=80.0)
    assert machine.run(10.0) == [Level("fast", 2), Level("fast", 3)]  # 80 / 3 ms fit into 33
    assert machine.taken[-1][0] < 4.0
    assert machine.run(300.0) == []  # and it stays, for 80 / 2 do not


@pytest.mark.parametrize(
    ("asked", "came", "said"),
    [
        (60.0, 50.0, "12 of 50 fps that came; 60 were asked for"),
        (60.0, 59.8, "12 of 60 fps"),
        (60.0, 90.0, "12 of 60 fps"),
        (None, 50.0, "12 of 50 fps"),
    ],
)
def test_a_miss_is_told_against_what_came_and_what_was_asked_for(asked: float | None, came: float, said: str) -> None:
    governor = Governor(FAST, asked)
    choices = [governor.look(Sample(s, round(12 * s), round(came * s), 80.0, {})) for s in (0.0, 5.0)]
    assert choices == [None, Choice(Level("fast", 2), said)]


def test_a_latency_that_grows_counts_as_a_miss() -> None:
    machine = Machine(Governor(FAST, 30.0), latency_ms=400.0)
    assert machine.run(3.0)[:1] == [Level("fast", 2)]


def test_with_headroom_it_climbs_step_by_step_after_some_seconds_each() -> None:
    machine = Machine(Governor(Level("fast", 4), 30.0, cores=4), net_ms=8.0, blur_ms=5.0)
    assert machine.run(60.0) == [Level("fast", 3), Level("fast", 2), FAST, LADDER[0]]
    times_s = [time_s for time_s, _ in machine.taken]
    assert all(4.5 < after - before < 8.0 for before, after in pairwise(times_s))


def test_a_step_up_that_is_predicted_to_fail_is_not_taken() -> None:
    # fine takes 36 ms of 33; net and blur together would fit well.
    machine = Machine(Governor(FAST, 30.0, cores=4), net_ms=10.0, blur_ms=10.0)
    assert machine.run(600.0) == []


def test_a_step_up_that_fails_is_tried_less_and_less_often() -> None:
    # The blur is predicted to fit, and does not.
    machine = Machine(Governor(FAST, 30.0, cores=4), net_ms=5.0, blur_ms=6.0, real_fine=10.0)
    machine.run(1200.0)
    ups_s = [time_s for time_s, level in machine.taken if level.quality == "fine"]
    waits_s = [after - before for before, after in pairwise(ups_s)]
    assert len(ups_s) <= 8
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits_s[:5]))
    assert machine.governor.level == FAST or machine.now_s - ups_s[-1] < 2.0


def test_it_comes_back_when_the_machine_is_free_again() -> None:
    machine = Machine(Governor(FAST, 30.0, cores=4), net_ms=130.0)
    assert machine.run(10.0)[-1] == Level("fast", 4)
    machine.net_ms = 12.0
    assert machine.run(30.0) == [Level("fast", 3), Level("fast", 2), FAST]


def test_a_camera_in_the_dark_is_no_reason_to_go_down() -> None:
    machine = Machine(Governor(LADDER[0], 30.0), rate=12.0, net_ms=20.0, blur_ms=8.0, latency_ms=120.0)
    assert machine.run(60.0) == []


def test_a_pause_is_not_judged() -> None:
    machine = Machine(Governor(FAST, 30.0), net_ms=20.0)
    machine.run(3.0)
    machine.now_s += 60.0  # nobody watched
    assert machine.run(4.0) == []


@pytest.mark.parametrize(("start", "begins"), [(Level("fine", 3), Level("fast", 3)), (Level("fast", 9), LADDER[-1])])
def test_what_is_not_on_the_ladder_begins_where_the_net_is_asked_as_often(start: Level, begins: Level) -> None:
    assert Governor(start, 30.0).level == begins


def test_costs_are_predicted_from_what_changes() -> None:
    now = {"source": 9.0, "depth": 10.0, "layers": 1.0, "refocus": 4.0, "sink": 9.0}
    assert predicted_ms(now, Level("fast", 3), Level("fast", 2)) == {"depth": 15.0, "layers": 1.0, "refocus": 4.0}
    assert predicted_ms(now, FAST, LADDER[0])["refocus"] == pytest.approx(4.0 * FINE_COST)


@pytest.mark.parametrize("steady", [True, False])
def test_the_net_is_asked_as_often_as_the_controls_say(kernels: Kernels, steady: bool) -> None:
    asked = list[int]()
    settings = Settings(steady=steady, engine=EngineRequest("plane"))
    controls = Controls(settings, FocusPuller(settings))

    class Counting(PlaneEngine):
        def infer(self, picture: np.ndarray) -> np.ndarray:
            asked.append(index)
            return super().infer(picture)

    depth = NetDepth(Counting(), kernels, settings, controls=controls)
    turned = {3: 3, 12: 2, 17: 1}
    for index, frame in enumerate(SyntheticSource((48, 64), live=False, frames=20).frames()):
        if index in turned:
            controls.change(net_every=turned[index])
        depth.sense(frame)
    # The net was asked at frame 2, so three frames later is 5; a wish for fewer takes effect at once.
    assert asked == [0, 1, 2, 3, 6, 9, 12, 14, 16, 17, 18, 19]


def test_a_real_run_that_asks_too_much_gives_way_and_says_so(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [
        str(PULLFOCUS),
        "live",
        "--source",
        "synthetic",
        "--size",
        "1920x1080",
        "--fps",
        "120",
        "--quality",
        "fine",
    ]
    command += ["--adaptive", "--sink", "null", "--json", str(report)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as live:
        assert live.stderr is not None
        said = [live.stderr.readline().strip() for _ in range(2)]
        live.send_signal(signal.SIGINT)
        rest = live.communicate(timeout=30)[1].splitlines()
    assert live.returncode == 130
    assert said[0].endswith("quality fine, net every frame (to begin with)")
    assert re.search(
        r": quality fast, net every frame \(\d+ (of \d+ fps( that came; 120 were asked for)?|ms late at \d+ fps)\)$",
        said[1],
    )
    choices: list[str] = json.loads(report.read_text())["choices"]
    assert [f"pullfocus: {choice}" for choice in choices] == [line for line in said + rest if "quality" in line]
