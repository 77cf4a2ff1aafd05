"""A focus script: what it may say, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.focus_script import Entry, read_focus_script
from pullfocus.stream.targets import Auto, Fixed, LayerNumber, Nearest, Point

from .command import assert_one_line, run
from .script_file import write

DOC = Path(__file__).resolve().parents[1] / "docs" / "focus_script.md"


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_every_field_is_read(tmp_path: Path, ending: str) -> None:
    path = write(
        tmp_path,
        {"time": 0, "focus": "auto"},
        {"time": 1.5, "focus": "0.3,0.5", "duration": 2, "easing": "linear"},
        {"time": 4, "focus": 0.25, "aperture": 2.5, "easing": "cut"},
        {"time": 5, "aperture": 9},
        {"time": 6, "focus": "layer:2", "duration": 0},
        {"time": 7, "focus": "nearest", "easing": "ease-in"},
        ending=ending,
    )
    script = read_focus_script(path)
    assert not script.by_frame
    assert script.entries == (
        Entry(0.0, Auto(), None, 1.0, "ease-in-out"),
        Entry(1.5, Point(0.3, 0.5), None, 2.0, "linear"),
        Entry(4.0, Fixed(0.25), 2.5, 1.0, "cut"),
        Entry(5.0, None, 9.0, 1.0, "ease-in-out"),
        Entry(6.0, LayerNumber(2), None, 0.0, "ease-in-out"),
        Entry(7.0, Nearest(), None, 1.0, "ease-in"),
    )


FIRST = {"time": 0, "focus": "auto"}


@pytest.mark.parametrize(
    ("pulls", "expected"),
    [
        ([{"time": 1, "focus": "auto"}], "entry 1: time: got 1, expected 0"),
        ([{"frame": 3, "focus": "auto"}], "entry 1: frame: got 3, expected 0"),
        ([{"focus": "auto"}], "entry 1: time: got nothing, expected seconds"),
        ([{"time": 0}], "entry 1: focus: got nothing"),
        ([{"time": 0, "aperture": 3}], "entry 1: focus: got nothing, expected auto, nearest"),
        ([FIRST | {"duration": 1}], "entry 1: duration: got 1, expected none"),
        ([FIRST | {"easing": "cut"}], 'entry 1: easing: got "cut", expected none'),
        ([FIRST, {"time": 0, "focus": "nearest"}], "entry 2: time: got 0, expected more than that of entry 1, 0"),
        ([FIRST, {"time": 2, "focus": 1}, {"time": 1.5, "focus": 0}], "entry 3: time: got 1.5, expected more than"),
        ([FIRST, {"time": -1, "focus": 1}], "entry 2: time: got -1, expected seconds, 0 or more"),
        ([FIRST, {"time": "2", "focus": 1}], 'entry 2: time: got "2", expected seconds'),
        ([FIRST, {"time": True, "focus": 1}], "entry 2: time: got true, expected seconds"),
        ([FIRST, {"frame": 9, "focus": 1}], "entry 2: frame: got 9, expected a time alone, as in entry 1"),
        ([FIRST | {"frame": 0}], "entry 1: time: got 0, expected a frame alone"),
        ([{"frame": 0, "focus": 1}, {"frame": 1.5, "focus": 1}], "entry 2: frame: got 1.5, expected 0, 1, 2"),
        ([FIRST, {"time": 1}], "entry 2: focus: got nothing, expected a focus, an aperture, or both"),
        ([FIRST, {"time": 1, "focus": "far"}], 'entry 2: focus: got "far", expected auto, nearest, layer:N'),
        ([FIRST, {"time": 1, "focus": 1.5}], "entry 2: focus: got 1.5, expected auto"),
        ([FIRST, {"time": 1, "focus": [0.5, 0.5]}], "entry 2: focus: got [0.5, 0.5], expected auto"),
        ([FIRST, {"time": 1, "aperture": 51}], "entry 2: aperture: got 51, expected 0 to 50"),
        ([FIRST, {"time": 1, "focus": 1, "easing": "slow"}], 'entry 2: easing: got "slow", expected one of linear'),
        ([FIRST, {"time": 1, "focus": 1, "duration": -2}], "entry 2: duration: got -2, expected seconds"),
        ([FIRST, {"time": 1, "focus": 1, "easing": "cut", "duration": 1}], "entry 2: duration: got 1, expected none"),
        ([FIRST, {"time": 1, "focus": 1, "speed": 2}], "entry 2: speed: got an unknown field, expected one of time"),
        ([], "pull: got [], expected a list of entries"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".json", ".toml"])
def test_a_wrong_entry_is_named_in_one_line(
    tmp_path: Path, pulls: list[dict[str, Any]], expected: str, ending: str
) -> None:
    path = write(tmp_path, *pulls, ending=ending)
    if not pulls and ending == ".toml":
        path.write_text("pull = []", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_focus_script(path)
    assert str(caught.value).startswith(f"--focus-script {path}: {expected}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.yaml", "pull: []", "got the ending '.yaml', expected .toml or .json"),
        ("a.toml", "[[pull]\ntime = 0", "not valid TOML: "),
        ("a.json", '{"pull": [}', "not valid JSON: "),
        ("a.json", b"\xff\xfe", "not valid JSON: "),
        ("a.json", "[]", "got [], expected a list named 'pull'"),
        ("a.json", '{"pulls": []}', "got pulls, expected a list named 'pull'"),
        ("a.toml", "", "got nothing, expected a list named 'pull'"),
        ("a.json", '{"pull": [3]}', "entry 1: got 3, expected a table"),
        ("a.json", '{"pull": [{"time": NaN, "focus": 1}]}', "entry 1: time: got NaN, expected seconds"),
        ("a.json", '{"pull": [{"time": 1' + 400 * "0" + ', "focus": 1}]}', "entry 1: time: got 1000000"),
        ("a.json", '{"pull": [{"frame": 1' + 400 * "0" + ', "focus": 1}]}', "entry 1: frame: got 1000000"),
        ("a.json", 200_000 * "[", "not valid JSON: "),
        ("a.toml", "pull = [{time = inf, focus = 1}]", "entry 1: time: got Infinity, expected seconds"),
        ("a.toml", "pull = [{time = 1979-05-27, focus = 1}]", 'entry 1: time: got "1979-05-27", expected seconds'),
    ],
)
def test_a_file_that_is_no_script_is_named(tmp_path: Path, name: str, content: str | bytes, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_focus_script(path)
    assert str(caught.value).startswith(f"--focus-script {path}: {expected}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_focus_script(tmp_path / "no.toml")


def test_a_layer_beyond_the_last_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, {"time": 1, "focus": "layer:4"})
    with pytest.raises(InputError, match=r"entry 2: focus: got layer:4, expected at most layer:3; see --layers"):
        Settings(script=read_focus_script(path), layers=3)


def test_a_script_may_be_saved_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "notepad.toml"
    path.write_text("[[pull]]\ntime = 0\nfocus = 0.5\n", encoding="utf-8-sig")
    assert read_focus_script(path).entries[0].focus == Fixed(0.5)


def test_the_command_refuses_a_focus_beside_a_script(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST)
    result = run("video", "in.mp4", "-o", tmp_path / "out.mp4", "--focus", "auto", "--focus-script", path)
    assert_one_line(result, "--focus auto", "--focus-script", "expected one")


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    parts = DOC.read_text(encoding="utf-8").split("```")
    examples = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in parts[1::2]}
    scripts = list[Any]()
    for ending in ("toml", "json"):
        path = tmp_path / f"example.{ending}"
        path.write_text(examples[ending], encoding="utf-8")
        scripts.append(read_focus_script(path))
    assert len(scripts[0].entries) >= 4
    assert scripts[0].entries[:2] == scripts[1].entries
