"""Frames in memory, refocused on a card: arrays in, arrays out, and the same as of a film there and of the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from pullfocus.engines.build import DeviceChoice, EngineRequest
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels.api import AnyPicture
from pullfocus.kernels.cuda.card import Card
from pullfocus.kernels.cuda.launch import Argument, DeviceArray, Kernel, Shape
from pullfocus.kernels.errors import EngineError, InputError
from pullfocus.stream import Refocuser, Settings
from pullfocus.stream.config import View
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Layered
from pullfocus.stream.in_steps import Steps, in_steps
from pullfocus.stream.parts import net_parts

from .card_films import SETTINGS, SIZE_HW, BrightnessThere, Film, rendered, stages_of, through
from .cuda_shim.card import LateCard, LateLauncher
from .cuda_shim.launcher import ShimLauncher

LANES = ("upload", "compute", "download")
EARLY = [(), ("upload",), ("compute",), ("download",), LANES]  # the card's lanes that do their work as soon as they may


def steps_of(card: LateCard | None, settings: Settings = SETTINGS) -> Steps:
    return in_steps(net_parts(BrightnessThere(), settings, card=card), settings, FocusPuller(settings))


def frames(count: int = 6) -> list[Frame]:
    return list(Film(count).frames())


def check_pictures(ours: Sequence[AnyPicture], cpus: Sequence[AnyPicture]) -> None:
    """As `card_films.check_same` does."""
    apart = np.abs(np.asarray(ours, np.float64) - np.asarray(cpus, np.float64))
    assert apart.mean() <= 1.0
    assert np.percentile(apart, 99.5) <= 10.0


def check_layered(ours: Layered, cpus: Layered) -> None:
    assert ours.plan.inverse_depth == pytest.approx(cpus.plan.inverse_depth, abs=0.004)
    np.testing.assert_allclose(ours.centres, cpus.centres, atol=0.008)
    check_depths(ours, cpus)


def check_depths(ours: Layered, cpus: Layered) -> None:
    for mine, other in (
        (ours.sensed.inverse_depth, cpus.sensed.inverse_depth),
        (ours.sensed.small, cpus.sensed.small),
    ):
        assert isinstance(mine, np.ndarray)
        assert isinstance(other, np.ndarray)
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
        assert np.abs(mine - other).mean() <= 0.002


@pytest.mark.parametrize("early", EARLY, ids=lambda early: "+".join(early) or "late")
def test_each_step_gives_what_the_cpu_s_gives(shim: ShimLauncher, early: tuple[str, ...]) -> None:
    card = LateCard(shim, early)
    stepwise, whole, cpu = steps_of(card), steps_of(card), steps_of(None)
    for frame in frames():
        layered, expected = stepwise.analyse(frame), cpu.analyse(frame)
        check_layered(layered, expected)
        assert layered.frame is frame
        assert layered.sensed.cut == (frame.index == 4)
        picture = stepwise.render(layered)
        check_pictures([picture], [cpu.render(expected)])
        np.testing.assert_array_equal(picture, whole.whole(frame))


def test_frames_come_out_as_the_pipeline_makes_them_on_the_card(shim: ShimLauncher, card: LateCard) -> None:
    ours = [steps.whole(frame) for steps in [steps_of(card)] for frame in frames()]
    np.testing.assert_array_equal(ours, [each.picture for each in rendered(Film(), SETTINGS, LateCard(shim))])
    refocuser, plane = Refocuser(SETTINGS, opened=lambda: card), stages_of(SETTINGS, LateCard(shim), PlaneEngine())
    ours = [refocuser(frame.picture8, frame.time_s) for frame in frames()]
    np.testing.assert_array_equal(ours, [each.picture for each in through(plane, frames())])


def test_with_the_shipped_net_it_is_what_the_cpu_makes(card: LateCard) -> None:
    settings = Settings(layers=3, aperture=40.0, dead_zone=0.0)
    ours, cpus = Refocuser(settings, opened=lambda: card), Refocuser(settings, opened=refused)
    for frame in frames(3):  # smaller than the net sees them
        layered, expected = ours.analyse(frame.picture8, frame.time_s), cpus.analyse(frame.picture8, frame.time_s)
        check_layered(layered, expected)
        check_pictures([ours.render(layered)], [cpus.render(expected)])


@pytest.mark.parametrize("view", get_args(View))
def test_views(card: LateCard, view: View) -> None:
    settings = replace(SETTINGS, view=view)
    ours, cpus = (Refocuser(settings, opened=opened) for opened in (lambda: card, refused))
    picture = frames(1)[0].picture8
    shown, expected = ours(picture, 0.0), cpus(picture, 0.0)
    assert (shown.shape, shown.dtype) == (expected.shape, expected.dtype)
    assert np.abs(shown.astype(float) - expected).mean() <= 1.0


def test_what_was_analysed_is_rendered_with_what_has_been_done_to_it(card: LateCard) -> None:
    """The plan, and the depth, of any size, layout and precision."""
    ours, cpu = steps_of(card), steps_of(None)
    frame = frames(1)[0]
    layered, expected = ours.analyse(frame), cpu.analyse(frame)
    closed = replace(layered, plan=replace(layered.plan, aperture=0.0))
    np.testing.assert_array_equal(ours.render(closed), frame.picture)
    ramp = np.linspace(1.0, 0.0, SIZE_HW[0], dtype=np.float32)[:, None].repeat(SIZE_HW[1], axis=1)
    pictures = list[AnyPicture]()
    for depth in (ramp, np.asfortranarray(ramp.astype(np.float64)), ramp[::2, ::2]):
        given: Any = depth
        pictures.append(ours.render(replace(layered, sensed=replace(layered.sensed, inverse_depth=given))))
        here: Any = np.ascontiguousarray(depth, np.float32)
        check_pictures(
            [pictures[-1]], [cpu.render(replace(expected, sensed=replace(expected.sensed, inverse_depth=here)))]
        )
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[0].astype(float) - ours.render(layered)).mean() > 1.0, "the test would not see it"


def test_results_are_the_caller_s_and_hold_no_page_locked_memory(card: LateCard) -> None:
    steps, kept = steps_of(card), list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]()

    def keep(array: Any) -> None:
        assert not card.is_pinned(array)
        kept.append((array, array.copy()))

    count = 0
    for frame in [*frames(3), *frames(6)]:
        layered = steps.analyse(frame)
        keep(layered.sensed.inverse_depth)
        keep(layered.sensed.small)
        keep(steps.render(layered))
        keep(steps.whole(frame))
        count = count or (card.pinned_count if len(kept) > 8 else 0)
    assert card.pinned_count == count
    for array, before in kept:
        np.testing.assert_array_equal(array, before)


def test_frames_of_another_size_focus_and_reset(card: LateCard) -> None:
    ours, cpus = (Refocuser(SETTINGS, opened=opened) for opened in (lambda: card, refused))

    def both(call: Callable[[Refocuser], Any]) -> None:
        given, expected = call(ours), call(cpus)
        if isinstance(expected, Layered):
            check_layered(given, expected)
        elif expected is not None:
            check_pictures([given], [expected])

    for frame in Film(5, 9, turned_at=3).frames():
        both(lambda each, frame=frame: each(frame.picture8, frame.time_s))
    both(lambda each: each.focus_on(0.9))
    both(lambda each: each.analyse(frames(1)[0].picture8, 0.5))
    both(lambda each: each.reset())
    both(lambda each: each.analyse(frames(1)[0].picture8, 0.0))
    assert ours.analyse(frames(1)[0].picture8, 0.04).plan.inverse_depth == pytest.approx(0.9)


class _Failing(LateLauncher):
    """failure: raised when the card is given a frame's work; None: it works."""

    failure: BaseException | None = None

    def overwrite(self, to: DeviceArray, array: DeviceArray) -> None:
        self._check()
        super().overwrite(to, array)

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        """Also one by one, once the graphs have given way."""
        if self._card.current is self._card.compute:
            self._check()
        super().launch(kernel, extent, *arguments)

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.mark.parametrize("failure", [MemoryError("Out of memory allocating 8 bytes"), KeyboardInterrupt()])
def test_after_a_frame_that_failed_the_next_begins_another_scene(shim: ShimLauncher, failure: BaseException) -> None:
    card = LateCard(shim, launcher=_Failing)
    ours, cpu = steps_of(card), steps_of(None)
    *before, lost, first, second = Film(6, 9).frames()
    for frame in before:
        ours.whole(frame)
    assert isinstance(card.launcher, _Failing)
    card.launcher.failure = failure
    with pytest.raises(EngineError if isinstance(failure, Exception) else type(failure)):
        ours.analyse(lost)  # whose depth is the first that is a graph's
    card.launcher.failure = None
    for frame in (first, second):
        layered = ours.analyse(frame)
        check_depths(layered, cpu.analyse(frame))  # it starts with this scene
        assert layered.sensed.cut == (frame is first)
        check_pictures([ours.render(layered)], [cpu.render(layered)])


# ---- whether there is a card


def refused() -> Card:
    raise InputError("got device 'cuda', but CuPy cannot be imported; run: pip install 'pullfocus[cuda]'")


def never() -> Card:
    raise AssertionError("nobody asked for a card")


def on(device: DeviceChoice) -> Settings:
    return replace(SETTINGS, engine=EngineRequest("plane", device))


def test_without_it_the_cpu_takes_over_in_one_line_unless_it_was_demanded(capsys: pytest.CaptureFixture[str]) -> None:
    picture = frames(1)[0].picture8
    instead = Refocuser(on("auto"), opened=refused)(picture, 0.0)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("note: pictures are not refocused on the GPU, but on the CPU: ")
    np.testing.assert_array_equal(instead, Refocuser(on("cpu"), opened=never)(picture, 0.0))
    assert capsys.readouterr().err == ""
    with pytest.raises(EngineError, match=r"--device cuda: .*CuPy cannot be imported"):
        Refocuser(on("cuda"), opened=refused)
