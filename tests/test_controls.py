"""What can be turned while a run goes on, and what the frames show of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels import Kernels
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.controls import Controls
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Rendered
from pullfocus.stream.parts import net_parts
from pullfocus.stream.pipeline import run
from pullfocus.stream.report import Moment
from pullfocus.stream.synthetic import SyntheticSource
from pullfocus.stream.targets import Fixed, LayerNumber

from .scene import CENTRES, sensed

SETTINGS = Settings(focus=Fixed(0.2), layers=4, aperture=6.0, dead_zone=0.0, engine=EngineRequest("plane"))
FLAT = np.full((54, 96), 0.5, np.float32)


class Turning:
    """A sink that does something at given frames, and keeps what it gets."""

    def __init__(self, actions: dict[int, Callable[[], None]]) -> None:
        self._actions = actions
        self.frames: list[Rendered] = []

    def write(self, rendered: Rendered) -> bool:
        self.frames.append(rendered)
        self._actions.get(rendered.frame.index, lambda: None)()
        return True


def run_turning(kernels: Kernels, actions: Callable[[Controls], dict[int, Callable[[], None]]]) -> list[Rendered]:
    puller = FocusPuller(SETTINGS)
    controls = Controls(SETTINGS, puller)
    sink = Turning(actions(controls))
    source = SyntheticSource((96, 128), live=False, frames=40)
    run(source, net_parts(PlaneEngine(), SETTINGS).stages(SETTINGS, puller, controls), sink, capacity=1)
    assert len(sink.frames) == 40
    return sink.frames


def test_view_and_layers_change_within_a_running_stream(kernels: Kernels) -> None:
    frames = run_turning(
        kernels, lambda controls: {5: lambda: controls.change(view="side"), 15: lambda: controls.change(layers=7)}
    )
    assert frames[0].picture.shape == (96, 128, 3)
    assert frames[-1].picture.shape == (96, 256, 3)
    assert {len(frames[0].layered.centres), len(frames[-1].layered.centres)} == {4, 7}


def test_a_new_target_is_pulled_to_and_a_new_aperture_is_glided_to(kernels: Kernels) -> None:
    frames = run_turning(
        kernels,
        lambda controls: {5: lambda: controls.focus_on(Fixed(0.8)), 6: lambda: controls.change(aperture=12.0)},
    )
    plans = [frame.layered.plan for frame in frames]
    assert (plans[0].inverse_depth, plans[0].aperture) == (0.2, 6.0)
    assert plans[-1].inverse_depth == pytest.approx(0.8, abs=0.02)
    assert plans[-1].aperture == 12.0
    assert any(0.3 < plan.inverse_depth < 0.7 for plan in plans)  # on its way
    assert any(7.0 < plan.aperture < 11.0 for plan in plans)
    assert all(b.aperture >= a.aperture for a, b in itertools.pairwise(plans))


def test_a_held_focus_stays_where_it_is_until_it_is_let_go() -> None:
    puller = FocusPuller(SETTINGS)
    controls = Controls(SETTINGS, puller)

    def focus_at(time_s: float) -> float:
        return puller.plan(sensed(FLAT, time_s), CENTRES).inverse_depth

    assert focus_at(0.0) == 0.2
    controls.hold(True)
    puller.target = Fixed(0.9)
    assert [focus_at(0.1 * step) for step in range(1, 20)] == [0.2] * 19
    assert controls.now().held
    controls.hold(False)
    assert [focus_at(2.0 + 0.1 * step) for step in range(30)][-1] == pytest.approx(0.9, abs=0.02)


def test_a_click_lets_go_of_what_was_held() -> None:
    controls = Controls(SETTINGS, FocusPuller(SETTINGS))
    controls.hold(True)
    controls.focus_on(LayerNumber(2))
    assert (controls.now().held, controls.now().focus) == (False, "layer:2")


def test_what_cannot_be_is_refused_and_changes_nothing() -> None:
    controls = Controls(SETTINGS, FocusPuller(SETTINGS))
    before = controls.now()
    with pytest.raises(InputError, match="--aperture: got 90"):
        controls.change(view="depth", aperture=90.0)
    with pytest.raises(InputError, match="there are 4 layers"):
        controls.focus_on(LayerNumber(9))
    assert controls.now() == before


def test_how_a_run_does_can_be_asked_while_it_goes_on(kernels: Kernels) -> None:
    ask: list[Callable[[], Moment]] = []
    moments: list[Moment] = []
    sink = Turning({30: lambda: moments.append(ask[0]())})
    parts = net_parts(PlaneEngine(), SETTINGS)
    source = SyntheticSource((96, 128), live=False, frames=40)
    run(source, parts.stages(SETTINGS, FocusPuller(SETTINGS)), sink, on_start=ask.append)
    (moment,) = moments
    assert moment.frames == 30
    assert set(moment.stages_ms) == {"source", "depth", "layers", "refocus", "sink"}
    assert moment.fps > 0.0 < moment.latency_ms
    assert moment.stages_ms["depth"] > 0.0
