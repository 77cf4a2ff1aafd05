"""What was turned last, presets, and which of them wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream import live_job
from pullfocus.stream.cli import run_cli
from pullfocus.stream.config import Settings
from pullfocus.stream.controls import Turned
from pullfocus.stream.live_command import read_settings
from pullfocus.stream.live_request import LiveRequest
from pullfocus.stream.pipeline import Interrupted
from pullfocus.stream.remembered import HOME, Remembered, keep, recall
from pullfocus.stream.report import Meter
from pullfocus.stream.targets import LayerNumber, Nearest
from pullfocus.stream.web.address import DEFAULT_ADDRESS, Address
from typer.core import TyperCommand

from .command import assert_one_line, run

BEFORE = Turned("auto", False, 7.0, 6, "refocus", False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[LiveRequest, Settings]]:
    """What runs would have been made of; none is made."""
    made: list[tuple[LiveRequest, Settings]] = []

    def run_live(request: LiveRequest, settings: Settings) -> Any:
        made.append((request, settings))
        raise Interrupted(Meter([]).report([], "", []))

    monkeypatch.setattr(live_job, "run_live", run_live)
    return made


def live(asked: list[tuple[LiveRequest, Settings]], *arguments: str | Path) -> tuple[LiveRequest, Settings]:
    assert run_cli(["live", *map(str, arguments)]) == 130
    return asked[-1]


def test_what_was_kept_is_recalled_whole(home: Path) -> None:
    assert recall() == Remembered()
    options = {"aperture": 9.5, "layers": 4, "view": "side", "mirror": True, "focus": "layer:2"}
    remembered = Remembered(options, (900, 700), statistics=True)
    keep(remembered)
    assert recall() == remembered
    keep(Remembered())
    assert recall() == Remembered()
    assert [path.name for path in home.iterdir()] == ["live.toml"]


def test_only_what_was_turned_is_remembered_and_no_point() -> None:
    earlier = Remembered({"aperture": 9.0, "view": "depth"})
    assert earlier.turned(BEFORE, BEFORE) == earlier
    after = replace(BEFORE, aperture=3.0, mirror=True, focus="0.2,0.3")
    assert earlier.turned(BEFORE, after).options == {"aperture": 3.0, "view": "depth", "mirror": True}
    assert earlier.turned(BEFORE, replace(BEFORE, focus="nearest")).options["focus"] == "nearest"


def test_the_command_line_wins_over_the_preset_and_that_over_what_was_turned(
    asked: list[tuple[LiveRequest, Settings]], tmp_path: Path
) -> None:
    keep(Remembered({"aperture": 9.0, "layers": 4, "view": "depth", "mirror": True, "focus": "nearest"}))
    preset = tmp_path / "preset.toml"
    preset.write_text('layers = 5\nview = "side"\nsource = "synthetic"\nnet-every = 3\nsteady = false\ncrf = 20\n')
    request, settings = live(asked, "--settings", preset, "--view", "zone")
    assert (settings.aperture, settings.layers, settings.view) == (9.0, 5, "zone")
    assert (request.mirror, request.source) == (True, "synthetic")
    assert settings.focus == Nearest()
    assert (settings.net_every, settings.steady, settings.encoding.crf) == (3, False, 20.0)


def test_fresh_and_runs_without_a_window_know_nothing_of_earlier_ones(
    asked: list[tuple[LiveRequest, Settings]], tmp_path: Path
) -> None:
    keep(Remembered({"aperture": 9.0, "mirror": True}))
    for arguments in (("--fresh",), ("--sink", "null"), ("--sink", str(tmp_path / "out.mp4"))):
        request, settings = live(asked, *arguments)
        assert (settings.aperture, request.mirror) == (7.0, False)
    assert live(asked, "--sink", "window")[1].aperture == 9.0
    preset = tmp_path / "null.toml"
    preset.write_text('sink = "null"')
    assert live(asked, "--settings", preset)[1].aperture == 7.0
    preset.write_text('sink = ["null", "window"]')
    request, settings = live(asked, "--settings", preset)
    assert (request.sinks, settings.aperture) == (("null", "window"), 9.0)


def test_what_was_turned_gives_way_where_it_does_not_go_with_the_command_line(
    asked: list[tuple[LiveRequest, Settings]], tmp_path: Path
) -> None:
    keep(Remembered({"layers": 4, "focus": "layer:4"}))
    assert live(asked)[1].focus == LayerNumber(4)
    settings = live(asked, "--layers", "3")[1]
    assert (settings.layers, settings.focus) == (3, Settings().focus)
    settings = live(asked, "--focus", "layer:6")[1]
    assert (settings.layers, settings.focus) == (6, LayerNumber(6))
    script = tmp_path / "script.toml"
    script.write_text('[[pull]]\ntime = 0.0\nfocus = "nearest"\n')
    assert live(asked, "--focus-script", script)[1].script is not None
    preset = tmp_path / "preset.toml"
    preset.write_text('focus = "nearest"\ncrf = 20')
    settings = live(asked, "--settings", preset, "--focus-script", script, "--bitrate", "2M")[1]
    assert settings.script is not None
    assert (settings.encoding.crf, settings.encoding.bitrate) == (None, 2_000_000)


def test_an_option_that_may_stand_alone_is_true_in_a_preset(
    asked: list[tuple[LiveRequest, Settings]], tmp_path: Path
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text("web = true")
    request, _ = live(asked, "--settings", preset)
    assert (request.web, request.sinks) == (Address.parse(DEFAULT_ADDRESS), ())
    assert live(asked, "--web")[0] == request
    assert live(asked, "--settings", preset, "--web", "127.0.0.1:0")[0].web == Address("127.0.0.1", 0)
    preset.write_text("web = false")
    request, _ = live(asked, "--settings", preset)
    assert (request.web, request.sinks) == (None, ("window",))
    preset.write_text('web = "[::1]:99"')
    assert live(asked, "--settings", preset)[0].web == Address("::1", 99)


@pytest.mark.parametrize(
    "text",
    [
        "aperture = ",
        "aperture = 'wide'",
        "layers = 2.5",
        "layers = 99",
        "mirror = 1",
        "view = 'sideways'",
        "focus = 'the dog'",
        "hue = 3",
        "window = 3",
        "[window]\nsize = [0, 5]",
        "[window]\nsize = 'large'",
        "[window]\nsize = [640]",
    ],
)
def test_a_broken_file_is_told_and_ignored(
    text: str, home: Path, capfd: pytest.CaptureFixture[str], asked: list[tuple[LiveRequest, Settings]]
) -> None:
    home.mkdir()
    (home / "live.toml").write_text(text)
    assert live(asked)[1].aperture == 7.0
    told = [line for line in capfd.readouterr().err.splitlines() if "is ignored" in line]
    assert len(told) == 1
    assert str(home / "live.toml") in told[0]


def test_a_file_that_is_no_text_or_cannot_be_written_costs_nothing(home: Path, capfd: Any) -> None:
    home.mkdir()
    (home / "live.toml").write_bytes(b"\xff\xfe\x00")
    assert recall() == Remembered()
    (home / "live.toml").unlink()
    (home / "live.toml").mkdir()
    assert recall() == Remembered()
    keep(Remembered({"layers": 4}))
    assert "live.toml" in capfd.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hue = 3", ("no option 'hue'", "aperture, ", "view")),
        ("settings = 'x'", ("no option 'settings'",)),
        ("layers = 3.5", ("layers is 3.5", "a whole number")),
        ("aperture = true", ("aperture is True", "a number")),
        ("mirror = 'yes'", ("mirror is 'yes'", "true or false")),
        ("size = 640", ("size is 640", "a text in quotes")),
        ("sink = ['null', 3]", ("sink is 3", "a text in quotes")),
        ("web = 8642", ("web is 8642", "expected true or a text in quotes")),
        ('source = "a\\u0000b"', ("source is 'a", "U+0000")),
        ('sink = ["null", "a\\u0000.mp4"]', ("sink is 'a", "U+0000")),
        ('sink = "a\\u0000.mp4"', ("sink is 'a", "U+0000")),
        ("no-steady = true", ("no option 'no-steady'",)),
        ("[lens]\naperture = 3", ("no option 'lens'",)),
        ("aperture = ", ("not TOML",)),
        ("aperture = 99", ("--aperture", "expected 0 to 50")),
        ("view = 'sideways'", ("--view", "sideways", "refocus")),
    ],
)
def test_a_wrong_preset_is_one_line(
    text: str, words: tuple[str, ...], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text(text)
    assert run_cli(["live", "--settings", str(preset), "--source", "synthetic"]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    for word in words:
        assert word in said


def test_a_preset_that_is_missing_or_a_folder_is_one_line(tmp_path: Path) -> None:
    assert_one_line(run("live", "--settings", tmp_path / "none.toml"), "none.toml", "cannot read it")
    with pytest.raises(InputError, match="cannot read it"):
        read_settings(tmp_path, TyperCommand("live"))


def test_takes_need_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"--takes .*file: not a folder"):
        LiveRequest(takes=tmp_path / "file")
