"""Films whose pictures are on a card: the same as on the CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pytest
from pullfocus.engines.there import EngineThere
from pullfocus.engines.torch_engine import TorchEngine
from pullfocus.kernels.api import Picture
from pullfocus.stream.config import Settings, View
from pullfocus.stream.controls import Controls
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Rendered
from pullfocus.stream.parts import net_parts
from pullfocus.stream.state import Remembers, load_state, save_state
from pullfocus.stream.targets import Nearest, Point

from .card_films import SETTINGS, Brightness, BrightnessThere, Film, check_same, rendered, stages_of, through
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .parity import photo


@pytest.mark.parametrize("capacity", [1, 3])
def test_a_film_on_the_card_is_that_of_the_cpu(card: LateCard, capacity: int) -> None:
    ours = rendered(Film(), SETTINGS, card, capacity)
    check_same(ours, rendered(Film(), SETTINGS, None))
    assert [each.cut for each in ours] == [False] * 4 + [True, False]


def test_an_engine_of_the_cpu_sees_the_picture_at_its_own_size(card: LateCard) -> None:
    ours = through(stages_of(SETTINGS, card, Brightness()), Film(3, 9).frames())
    check_same(ours, through(stages_of(SETTINGS, None), Film(3, 9).frames()))


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, focus=Point(0.4, 0.4)),
        replace(SETTINGS, smooth="both", kernel="gaussian", steady=False),
        replace(SETTINGS, net_every=2, depth_range="auto", focus=Nearest()),
    ],
)
def test_other_settings(card: LateCard, settings: Settings) -> None:
    check_same(rendered(Film(4, 9), settings, card), rendered(Film(4, 9), settings, None))


def test_16_bits(card: LateCard) -> None:
    film = Film(2, deep=True)
    ours = rendered(film, SETTINGS, card)
    check_same(ours, rendered(film, SETTINGS, None))
    assert ours[0].picture.dtype == np.uint16


@pytest.mark.parametrize("view", get_args(View))
def test_views(card: LateCard, view: View) -> None:
    settings = replace(SETTINGS, view=view)
    ours = through(stages_of(settings, card), Film(1).frames())
    most = 100.0 if view in ("depth", "layers", "panel") else 10.0
    check_same(ours, through(stages_of(settings, None), Film(1).frames()), most)


def test_controls_are_turned_while_it_runs(card: LateCard) -> None:
    def turned(card: LateCard | None) -> list[Rendered]:
        puller = FocusPuller(SETTINGS)
        controls = Controls(SETTINGS, puller)
        stages = net_parts(BrightnessThere(), SETTINGS, card=card).stages(SETTINGS, puller, controls)
        out = list[Rendered]()
        for frame in Film(6, 9).frames():
            if frame.index == 2:
                controls.change(layers=5, aperture=4.0)
                controls.focus_on(Nearest())
            if frame.index == 4:
                controls.change(view="layers")
            out += through(stages, [frame])
        return out

    ours = turned(card)
    expected = turned(None)
    check_same(ours[:4], expected[:4])
    check_same(ours[4:], expected[4:], 100.0)
    assert [len(each.layered.centres) for each in ours] == [3, 3, 5, 5, 5, 5]


def test_frames_of_another_size_begin_anew(card: LateCard) -> None:
    ours = rendered(Film(5, 9, turned_at=3), SETTINGS, card)
    check_same(ours, rendered(Film(5, 9, turned_at=3), SETTINGS, None))
    assert [each.cut for each in ours] == [False, False, False, True, False]


def test_a_film_goes_on_from_a_saved_state_as_if_nothing_had_been(
    card: LateCard, tmp_path: Path, shim: ShimLauncher
) -> None:
    frames = list(Film(6, 9).frames())
    first = stages_of(SETTINGS, card)
    before = through(first, frames[:3])
    for number, stage in enumerate(first):
        if isinstance(stage, Remembers):
            save_state(tmp_path / f"{number}", stage.state())
    straight = through(first, frames[3:])
    assert len(before) == len(straight)
    again = stages_of(SETTINGS, LateCard(shim))
    for number, stage in enumerate(again):
        if isinstance(stage, Remembers):
            stage.restore(load_state(tmp_path / f"{number}"))
    for ours, theirs in zip(through(again, frames[3:]), straight, strict=True):
        np.testing.assert_array_equal(ours.picture, theirs.picture)


@pytest.mark.usefixtures("one_thread")
def test_pytorch_takes_and_gives_what_is_on_the_card(random_model: Path, card: LateCard) -> None:
    engine = TorchEngine(random_model)
    picture = photo((200, 320))
    with card.compute.queue():
        there = EngineThere(engine, card.kernels).infer(cast(Picture, card.kernels.upload(picture)))
        depth = card.kernels.download(cast(Any, there))
    expected = engine.infer(picture)
    assert depth.shape == expected.shape
    assert np.abs(depth - expected).mean() < 0.01  # its picture is shrunk a little differently
