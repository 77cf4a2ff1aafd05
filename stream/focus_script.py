"""`--focus-script`: a file that says what is in focus when, and how the focus gets there.

The format is described in `docs/focus_script.md`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from ..kernels.errors import InputError
from .easing import CURVES, Easing
from .frame import LARGEST_APERTURE, Frame
from .state import State
from .targets import FORMS, LayerNumber, Target, read_target

LIST = "pull"  # the key of the list of entries
FIELDS = ("time", "frame", "focus", "aperture", "duration", "easing")
LATEST = 1_000_000_000  # seconds or frames; thirty years
PULL_S = 1.0  # how long a pull lasts that says nothing of it
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Entry:
    """From `start` on the focus is pulled to `focus` and the aperture to `aperture`; None leaves either as it is."""

    start: float  # a time in seconds or a frame's number: see FocusScript.by_frame
    focus: Target | None
    aperture: float | None
    duration_s: float
    easing: Easing


@dataclass(frozen=True, slots=True)
class FocusScript:
    """Entries in the order of their start; the first one starts at 0 and has a focus.

    by_frame: `start` counts frames, from 0; else seconds since the first frame.
    """

    path: Path
    by_frame: bool
    entries: tuple[Entry, ...]

    def check_layers(self, layers: int) -> None:
        """Raises InputError for an entry that names a layer beyond the last."""
        for number, entry in enumerate(self.entries, 1):
            if isinstance(entry.focus, LayerNumber) and entry.focus.number > layers:
                raise _wrong(
                    self.path, number, "focus", f"layer:{entry.focus.number}", f"at most layer:{layers}; see --layers"
                )


def from_time_on(script: FocusScript, skipped_s: float, rate: float) -> FocusScript:
    """The script for a part of a film that begins `skipped_s` after its first frame. rate: frames a second."""
    skipped = round(skipped_s * rate) if script.by_frame else skipped_s
    return replace(script, entries=tuple(replace(entry, start=entry.start - skipped) for entry in script.entries))


class ScriptRun:
    """A script on its way through the frames of one run."""

    def __init__(self, script: FocusScript) -> None:
        self._script = script
        self._next = 0
        self._first_s: float | None = None

    def due(self, frame: Frame) -> list[tuple[Entry, float]]:
        """What has come due with this frame, and when it started, in the frames' time.

        Several entries at once where frames were dropped.
        """
        if self._first_s is None:
            self._first_s = frame.time_s
        now = frame.index if self._script.by_frame else frame.time_s - self._first_s
        due = list[tuple[Entry, float]]()
        while self._next < len(self._script.entries) and self._script.entries[self._next].start <= now:
            entry = self._script.entries[self._next]
            due.append((entry, frame.time_s if self._script.by_frame else self._first_s + entry.start))
            self._next += 1
        return due

    def state(self) -> State:
        return {"next": self._next, "first_s": self._first_s}

    def restore(self, state: State) -> None:
        self._next, self._first_s = state["next"], state["first_s"]


def read_focus_script(path: Path) -> FocusScript:
    """The script of a TOML or JSON file. Raises InputError, which names the file, the entry and the field."""
    entries = _entries(path, _content(path))
    by_frame = "frame" in entries[0]
    return FocusScript(path, by_frame, tuple(_read_all(path, entries, "frame" if by_frame else "time")))


def _content(path: Path) -> Any:
    readers: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"--focus-script {path}: got the ending {path.suffix!r}, expected .toml or .json")
    try:
        return reader(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"--focus-script {path}: cannot be read ({error.strerror}); expected a focus script"
        ) from error
    except (ValueError, RecursionError) as error:  # of TOML, JSON and UTF-8 alike
        raise InputError(f"--focus-script {path}: not valid {path.suffix[1:].upper()}: {error}") from error


def _entries(path: Path, content: Any) -> list[dict[str, Any]]:
    if not isinstance(content, dict) or list(cast(dict[str, Any], content)) != [LIST]:
        got = ", ".join(cast(dict[str, Any], content)) or "nothing" if isinstance(content, dict) else _shown(content)
        raise InputError(f"--focus-script {path}: got {got}, expected a list named {LIST!r} and nothing else")
    entries = cast(dict[str, Any], content)[LIST]
    if not isinstance(entries, list) or not entries:
        raise InputError(f"--focus-script {path}: {LIST}: got {_shown(entries)}, expected a list of entries")
    for number, entry in enumerate(cast(list[Any], entries), 1):
        if not isinstance(entry, dict):
            raise InputError(f"--focus-script {path}: entry {number}: got {_shown(entry)}, expected a table")
        for key in cast(dict[str, Any], entry):
            if key not in FIELDS:
                raise _wrong(path, number, key, "an unknown field", f"one of {', '.join(FIELDS)}")
    return cast(list[dict[str, Any]], entries)


def _read_all(path: Path, entries: list[dict[str, Any]], unit: str) -> list[Entry]:
    out = list[Entry]()
    for number, fields in enumerate(entries, 1):
        entry = _read(path, number, fields, unit)
        if number == 1:
            _check_first(path, entry, fields, unit)
        elif entry.start <= out[-1].start:
            least = f"more than that of entry {number - 1}, {out[-1].start:g}"
            raise _wrong(path, number, unit, f"{entry.start:g}", least)
        out.append(entry)
    return out


def _check_first(path: Path, entry: Entry, fields: Mapping[str, Any], unit: str) -> None:
    if entry.start != 0:
        raise _wrong(path, 1, unit, f"{entry.start:g}", "0: the first entry says where the focus is at the start")
    if entry.focus is None:
        raise _wrong(path, 1, "focus", "nothing", FORMS)
    for key in ("duration", "easing"):
        if key in fields:
            raise _wrong(path, 1, key, _shown(fields[key]), "none: at the start there is nothing to pull from")


def _read(path: Path, number: int, fields: Mapping[str, Any], unit: str) -> Entry:
    def field(key: str, read: Callable[[Any], _Value | None], expected: str) -> _Value | None:
        if key not in fields:
            return None
        value = read(fields[key])
        if value is None:
            raise _wrong(path, number, key, _shown(fields[key]), expected)
        return value

    other = "time" if unit == "frame" else "frame"
    if other in fields:
        raise _wrong(path, number, other, _shown(fields[other]), f"a {unit} alone" + ", as in entry 1" * (number > 1))
    start = field("time", _seconds, "seconds, 0 or more") if unit == "time" else field("frame", _count, "0, 1, 2, …")
    if start is None:
        raise _wrong(path, number, unit, "nothing", "seconds, 0 or more" if unit == "time" else "0, 1, 2, …")
    focus = field("focus", _target, FORMS)
    aperture = field("aperture", _aperture, f"0 to {LARGEST_APERTURE:g}")
    if focus is None and aperture is None:
        raise _wrong(path, number, "focus", "nothing", "a focus, an aperture, or both")
    easing = field("easing", _easing, f"one of {', '.join(CURVES)}") or "ease-in-out"
    duration_s = field("duration", _seconds, "seconds, 0 or more")
    if easing == "cut" and duration_s:
        raise _wrong(path, number, "duration", f"{duration_s:g}", "none: a cut takes no time")
    return Entry(start, focus, aperture, PULL_S if duration_s is None else duration_s, easing)


def _seconds(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= LATEST else None


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 <= value <= LATEST else None


def _aperture(value: Any) -> float | None:
    aperture = _seconds(value)
    return aperture if aperture is not None and aperture <= LARGEST_APERTURE else None


def _target(value: Any) -> Target | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    return read_target(value) if isinstance(value, str) else None


def _easing(value: Any) -> Easing | None:
    return next((name for name in CURVES if name == value), None)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _wrong(path: Path, number: int, key: str, got: str, expected: str) -> InputError:
    return InputError(f"--focus-script {path}: entry {number}: {key}: got {got}, expected {expected}")
