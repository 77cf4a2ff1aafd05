"""The command line: what it refuses, in one line with exit code 2."""

from __future__ import annotations

import importlib.metadata
from dataclasses import fields
from inspect import signature
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.cli import run_cli
from pullfocus.stream.config import NET_DEAD_ZONE, Settings
from pullfocus.stream.option_groups import DepthOptions, FilmOptions, spread
from pullfocus.stream.options import check_untouched, parse_size, settings_from
from pullfocus.stream.targets import LayerNumber, Nearest

COMMANDS = ("video", "image", "depth", "batch", "live", "bench", "doctor")


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr."""
    assert run_cli(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pullfocus: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--aperture", "-1", "--aperture: got -1, expected 0 to 50"),
        ("--aperture", "nan", "--aperture: got nan"),
        ("--dead-zone", "1.5", "--dead-zone: got 1.5, expected 0 to 1"),
        ("--layers", "1", "--layers: got 1, expected 2 to 16"),
        ("--layers", "17", "--layers: got 17"),
        ("--layers", "many", "--layers"),
        ("--net-every", "0", "--net-every: got 0"),
        ("--focus", "sharp", "--focus sharp: expected auto"),
        ("--focus", "layer:9", "there are 6 layers"),
        ("--kernel", "square", "square"),
        ("--blades", "2", "--blades: got 2, expected 3 to 12"),
        ("--blades", "5", "got --kernel disc, expected polygon"),
        ("--rotation", "15", "got --kernel disc, expected polygon"),
        ("--quality", "best", "best"),
        ("--engine", "onnx", "onnx"),
        ("--device", "tpu", "tpu"),
        ("--nonsense", "1", "--nonsense"),
    ],
)
def test_bad_values_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: str, expected: str
) -> None:
    line = complaint(capsys, "video", "in.mp4", "-o", str(tmp_path / "out.mp4"), f"{option}={value}")
    assert expected in line
    assert list(tmp_path.iterdir()) == []


HUGE = "1" + "0" * 400  # beyond a float
ENDLESS = "1" * 5000  # beyond what Python reads as a whole number


@pytest.mark.parametrize("value", [HUGE, f"-{HUGE}", ENDLESS], ids=["huge", "minus huge", "endless"])
@pytest.mark.parametrize(
    "option",
    ["layers", "net-every", "blades", "aperture", "dead-zone", "rotation", "crf", "bitrate", "focus", "start", "end"],
)
def test_numbers_of_any_length_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: str
) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), np.zeros((16, 16, 3), np.uint8))
    arguments = ("video", str(tmp_path / "in"), "-o", str(tmp_path / "out.mp4"), "--engine", "plane")
    assert f"--{option}" in complaint(capsys, *arguments, f"--{option}={value}")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("value", [HUGE, ENDLESS], ids=["huge", "endless"])
@pytest.mark.parametrize("option", ["layers", "net-every", "blades", "aperture", "crf", "fps"])
def test_numbers_of_any_length_are_refused_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: str
) -> None:
    file = tmp_path / "my.toml"
    file.write_text(f"{option} = {value}\n", encoding="utf-8")
    live = ("live", "--source", "synthetic", "--engine", "plane", "--sink", str(tmp_path / "out.mp4"))
    assert f"--{option}" in complaint(capsys, *live, "--settings", str(file)) or value == ENDLESS
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("option", ["size", "fps", "frames"])
@pytest.mark.parametrize("value", [f"-{HUGE}", f"-{ENDLESS}", f"{HUGE}x100", f"{ENDLESS}x100"])
def test_numbers_of_any_length_are_refused_live(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    live = ("live", "--source", "synthetic", "--engine", "plane", "--sink", "null")
    assert f"--{option}" in complaint(capsys, *live, f"--{option}={value}")


def test_missing_arguments_and_commands_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "IN" in complaint(capsys, "video", "-o", "out.mp4")
    assert "--out" in complaint(capsys, "video", "in.mp4")
    assert "refocus" in complaint(capsys, "refocus")


def test_input_that_is_missing_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = str(tmp_path / "no.png")
    assert missing in complaint(capsys, "image", missing, "-o", str(tmp_path / "out.png"), "--engine", "plane")
    assert list(tmp_path.iterdir()) == []


def test_message_of_several_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--focus a b:" in complaint(capsys, "video", "in.mp4", "-o", "out.mp4", "--focus", "a\nb")


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"pullfocus {importlib.metadata.version('pullfocus')}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run_cli([command, "--help"]) == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "commands"),
    [
        ("--focus-script", ("video", "batch", "live", "bench")),
        ("--face-model", ("video", "image", "batch", "live", "bench")),
        ("peaking", ("video", "image", "batch", "live")),
    ],
)
def test_options_of_focus_are_offered_where_they_have_a_meaning(
    capsys: pytest.CaptureFixture[str], option: str, commands: tuple[str, ...]
) -> None:
    offered = list[str]()
    for command in COMMANDS:
        assert run_cli([command, "--help"]) == 0
        if option in capsys.readouterr().out:
            offered.append(command)
    assert tuple(offered) == commands


def test_size_is_read_as_width_by_height() -> None:
    assert parse_size("1280x720") == (720, 1280)
    assert parse_size("64X48") == (48, 64)
    assert parse_size(None) is None


@pytest.mark.parametrize("text", ["", "1280", "x720", "1280x", "1280x720x3", "-64x48", "8x8", "99999x48", "a x b"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="expected WxH in pixels") as caught:
        parse_size(text)
    assert str(caught.value).startswith(f"--size {text}:")


def test_settings_take_the_options_or_their_defaults() -> None:
    plain = settings_from(engine=EngineRequest("plane"))
    assert plain == Settings(engine=EngineRequest("plane"))
    assert plain.dead_zone == NET_DEAD_ZONE
    assert settings_from(engine=EngineRequest(), default_dead_zone=0.0).dead_zone == 0.0
    assert settings_from(engine=EngineRequest(), dead_zone=0.2, default_dead_zone=0.0).dead_zone == 0.2
    assert settings_from(engine=EngineRequest(), focus="layer:2").focus == LayerNumber(2)
    assert settings_from(engine=EngineRequest(), face_model=Path("a.onnx")).face_model == Path("a.onnx")
    assert plain.steady
    assert not settings_from(engine=EngineRequest(), steady=False).steady


@pytest.mark.parametrize("command", ["video", "depth", "batch", "live", "bench"])
def test_depth_is_held_steady_unless_asked_not_to(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run_cli([command, "--help"]) == 0
    assert "--no-steady" in capsys.readouterr().out


def test_pictures_have_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--no-steady" in complaint(capsys, "image", "in.png", "-o", "out.png", "--no-steady")


def test_given_depth_is_not_steadied_anyway() -> None:
    check_untouched(Settings(), Path("depth.mkv"))
    with pytest.raises(InputError, match="--no-steady would have no effect"):
        check_untouched(Settings(steady=False), Path("depth.mkv"))


@pytest.mark.parametrize(
    ("smooth", "sizes"), [("none", (0, 0)), ("median", (5, 0)), ("gaussian", (0, 5)), ("both", (5, 5))]
)
def test_smoothing_names_stand_for_sizes(smooth: str, sizes: tuple[int, int]) -> None:
    settings = Settings(smooth=smooth)  # pyright: ignore[reportArgumentType]
    assert (settings.median_px, settings.gaussian_px) == sizes


def test_a_group_of_options_is_one_parameter_of_a_command() -> None:
    """Each option keeps its default, and the command gets the group whole."""
    seen = list[DepthOptions]()

    def command(options: DepthOptions, more: str = "x") -> None:
        seen.append(options)

    flat = spread(command)
    parameters = signature(flat).parameters
    assert [*parameters] == [*(option.name for option in fields(DepthOptions)), "more"]
    flat(**{name: each.default for name, each in parameters.items()} | {"net_every": 3, "engine": "plane"})
    assert seen == [DepthOptions(net_every=3, engine="plane")]
    assert seen[0].settings() == Settings(net_every=3, engine=EngineRequest("plane"))


def test_film_options_stand_for_every_setting() -> None:
    assert FilmOptions().settings() == Settings()
    film = FilmOptions(focus="nearest", aperture=9.0, view="depth", steady=False, quality="fine", model="m")
    wanted = Settings(
        focus=Nearest(), aperture=9.0, view="depth", steady=False, engine=EngineRequest(quality="fine", model="m")
    )
    assert film.settings() == wanted
    assert film.settings(0.0).dead_zone == 0.0
