"""How `pullfocus live` fills in what its command line leaves out: a file of settings first, then what it remembers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from typer.core import TyperCommand

from ..kernels.errors import InputError
from .bare_option import filled_in
from .commands import live
from .remembered import recall
from .targets import LayerNumber, read_target
from .web.address import DEFAULT_ADDRESS

WEB_VALUE = re.compile("[^-].*")
ALONE = {"web": DEFAULT_ADDRESS}  # what an option means that stands alone, and that is `true` in a file
NOT_IN_A_FILE = ("settings_file", "fresh", "help")
NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a text in quotes, or a list of them",
    str: "a text in quotes",
}


# Of two options that exclude each other, one on the command line replaces the other of a file.
EXCLUSIVE = {"focus": "focus_script", "focus_script": "focus", "crf": "bitrate", "bitrate": "crf"}


class LiveCommand(TyperCommand):
    """The command line wins over `--settings FILE.toml`, and that over what was turned last in the window.

    `--web` may stand alone.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        args = filled_in(args, "--web", WEB_VALUE, ALONE["web"])
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        if not given.get("help"):
            file = given.get("settings_file")
            preset = _beside(given, read_settings(Path(file), self)) if file is not None else {}
            kept = _remembered(given | preset)
            ctx.default_map = {**_beside(given | preset, kept), **preset}
        return super().parse_args(ctx, args)


def _beside(given: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Those of `values` that what is `given` does not exclude."""
    return {name: value for name, value in values.items() if EXCLUSIVE.get(name) not in given}


def read_settings(path: Path, command: TyperCommand) -> dict[str, Any]:
    """Values for a command's parameters, by their names. Raises InputError for whatever is no option of it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--settings {path}: cannot read it ({error.strerror})") from error
    except ValueError as error:  # not TOML, or not text
        raise InputError(f"--settings {path}: not TOML ({error})") from error
    names = {
        option.removeprefix("--"): str(parameter.name)
        for parameter in command.params
        if parameter.name not in NOT_IN_A_FILE
        for option in parameter.opts
        if option.startswith("--")
    }
    kinds = get_type_hints(live)
    for option in values:
        if option not in names:
            raise InputError(f"--settings {path}: there is no option {option!r}; expected {', '.join(sorted(names))}")
    given = {option: _given(option, value) for option, value in values.items()}
    return {
        names[option]: _read(path, option, value, _kind(kinds[names[option]]))
        for option, value in given.items()
        if value is not None
    }


def _given(option: str, value: Any) -> Any:
    """What a file says as the command line would; None: as if the option were not there."""
    if option in ALONE and isinstance(value, bool):
        return ALONE[option] if value else None
    return value


def _read(path: Path, option: str, value: Any, kind: type) -> Any:
    """The value for an option of this kind. Raises InputError: the command line would cut 3.5 to a whole number."""
    if kind is list and type(value) is str:
        return [_read(path, option, value, str)]  # one of an option that may be given several times
    if kind is list and type(value) is list:
        return [_read(path, option, item, str) for item in value]
    if "\0" in str(value):  # the command line cannot hold it, and no name of a file
        raise InputError(f"--settings {path}: {option} is {value!r}, expected a text without the character U+0000")
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    alone = "true or " if option in ALONE else ""
    raise InputError(f"--settings {path}: {option} is {value!r}, expected {alone}{NAMES[kind]}")


def _kind(hint: Any) -> type:
    """What TOML has for values of a type; names and paths are texts."""
    alternatives = [kind for kind in get_args(hint) if kind is not NoneType] if isinstance(hint, UnionType) else [hint]
    kind = get_origin(alternatives[0]) or alternatives[0]
    return kind if kind in NAMES else str


def _remembered(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was turned last, for a run with a window, as far as it goes with what is `given`."""
    sinks = given.get("sinks", () if "web" in given else ("window",))
    if given.get("fresh") or "window" not in sinks:
        return {}
    kept = dict(recall().options)
    focus = read_target(str(kept.get("focus", "")))
    if isinstance(focus, LayerNumber) and focus.number > _layers(given, kept):
        kept.pop("focus", None)
    wanted = read_target(str(given.get("focus", "")))
    if isinstance(wanted, LayerNumber) and wanted.number > _layers({}, kept):
        kept.pop("layers", None)
    return kept


def _layers(given: Mapping[str, Any], kept: Mapping[str, Any]) -> float:
    """How many there will be, as far as that can be said before the options are checked."""
    try:
        return int(given.get("layers", kept.get("layers", 6)))
    except (TypeError, ValueError):
        return float("inf")
