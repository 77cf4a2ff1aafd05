"""The live window's keys, pressed without a window: what they turn, what they say, and that they are written down."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pullfocus.stream.config import Settings
from pullfocus.stream.controls import Controls
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.keys import ACTIONS, KEYS, Desk, press
from pullfocus.stream.takes import Takes
from pullfocus.stream.targets import LayerNumber, Point

from .scene import CENTRES, sensed

DOCUMENT = Path(__file__).parent.parent / "docs" / "live_window.md"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path, Settings(layers=6))


def make_desk(folder: Path, settings: Settings) -> Desk:
    return Desk(Controls(settings, FocusPuller(settings)), Takes(folder, settings, rate=25.0))


def pressed(desk: Desk, keys: str) -> str:
    """What is shown after keys, one after the other."""
    for key in keys:
        press(desk, key)
    return desk.toast.text


@pytest.mark.parametrize(
    ("keys", "focus", "says"),
    [
        ("n", "nearest", "focus: nearest"),
        ("3", "layer:3", "focus: layer 3"),
        ("3a", "auto", "focus: subject"),
        ("N", "nearest", "focus: nearest"),
        ("n9", "nearest", "there are 6 layers"),
    ],
)
def test_focus(desk: Desk, keys: str, focus: str, says: str) -> None:
    assert pressed(desk, keys) == says
    assert desk.controls.now().focus == focus


def test_space_holds_the_focus_and_lets_it_go(desk: Desk) -> None:
    assert pressed(desk, "n ") == "focus held"
    assert desk.controls.now().held
    assert pressed(desk, " ") == "focus: nearest"
    assert not desk.controls.now().held
    assert pressed(desk, " 2") == "focus: layer 2"
    assert not desk.controls.now().held  # another target lets go, too


@pytest.mark.parametrize(
    ("start", "keys", "end"),
    [
        (7.0, "]", 7.5), (7.0, "[", 6.5), (7.3, "]", 7.5), (7.3, "[", 7.0), (9.5, "]]", 11.0), (11.0, "[[", 9.5),
        (20.0, "]", 22.0), (20.0, "[", 19.0), (0.2, "[[", 0.0), (49.0, "]]]", 50.0),
    ],
)  # fmt: skip
def test_aperture_turns_in_steps_that_grow_with_it(tmp_path: Path, start: float, keys: str, end: float) -> None:
    desk = make_desk(tmp_path, Settings(aperture=start))
    assert pressed(desk, keys) == f"aperture {end:g}"
    assert desk.controls.now().aperture == end


def test_layers_change_within_their_range(desk: Desk) -> None:
    assert pressed(desk, "+=-") == "7 layers"
    assert desk.controls.now().layers == 7
    assert "expected 2 to 16" in pressed(desk, "+" * 10)
    assert desk.controls.now().layers == 16


@pytest.mark.parametrize(
    ("key", "view"), [("d", "depth"), ("l", "layers"), ("s", "side"), ("p", "peaking"), ("z", "zone")]
)
def test_a_view_comes_with_its_key_and_goes_with_the_same(desk: Desk, key: str, view: str) -> None:
    pressed(desk, key)
    assert desk.controls.settings.view == view
    assert pressed(desk, key) == "refocused"
    assert desk.controls.settings.view == "refocus"
    pressed(desk, f"d{key}" if key != "d" else f"l{key}")  # from another view it does not go back first
    assert desk.controls.settings.view == view


def test_what_the_window_shows(desk: Desk) -> None:
    for key, what in (("o", "statistics"), ("f", "full_screen"), ("h", "help"), ("?", "help")):
        before = getattr(desk, what)
        press(desk, key)
        assert getattr(desk, what) is not before
    for key in ("q", "Q", "\x1b"):
        desk.quits = False
        press(desk, key)
        assert desk.quits


def test_takes(desk: Desk, tmp_path: Path) -> None:
    assert pressed(desk, "r") == "recording, without sound"
    assert desk.takes.recording is not None
    press(desk, "r")
    assert desk.takes.recording is None
    press(desk, "c")
    desk.takes.close()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = make_desk(tmp_path / "file", Settings())
    assert "cannot make this folder" in pressed(desk, "r")
    assert desk.takes.recording is None


def test_unknown_keys_do_nothing(desk: Desk) -> None:
    before = desk.controls.now()
    assert pressed(desk, "xyö\x00\xff0") == ""
    assert desk.controls.now() == before
    assert not desk.quits


def test_mirroring_takes_the_point_in_focus_along() -> None:
    """A step in depth, focused at the left: mirrored, the same surface is at the right."""
    settings = Settings(dead_zone=0.0, focus=Point(0.25, 0.5))
    puller = FocusPuller(settings)
    controls = Controls(settings, puller)
    step = np.full((60, 80), 0.1, np.float32)
    step[:, :40] = 0.9
    assert puller.plan(sensed(step), CENTRES).inverse_depth == pytest.approx(0.9, abs=0.02)
    controls.mirror = True
    controls.mirror = True
    assert controls.now().focus == "0.75,0.5"
    mirrored = np.ascontiguousarray(step[:, ::-1])
    assert puller.plan(sensed(mirrored, 0.1), CENTRES).inverse_depth == pytest.approx(0.9, abs=0.02)
    controls.focus_on(LayerNumber(2))
    controls.mirror = False
    assert controls.now().focus == "layer:2"


def test_no_key_has_two_meanings_and_every_one_is_in_the_help() -> None:
    characters = [character for key in KEYS for character in key.presses]
    assert len(characters) == len(set(characters)) == len(ACTIONS)
    assert not [character for character in characters if character.isupper()]  # see `press`
    caps = {cap for key in KEYS for cap in key.caps}
    named = {" ": "space", "\x1b": "Esc", "=": "+", **{str(digit): "..." for digit in range(2, 9)}}
    assert {named.get(character, character) for character in characters} <= caps


def test_the_documentation_has_the_same_keys() -> None:
    rows = re.findall(r"^\| (`.+`) \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    written = [(tuple(re.findall(r"`([^`]+)`", caps)), text.split(";")[0]) for caps, text in rows]
    assert written[: len(KEYS)] == [(key.caps, key.text) for key in KEYS]
