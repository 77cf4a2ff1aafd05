"""What the user may want in focus, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..kernels.errors import InputError

FORMS = "auto, nearest, layer:N (N ≥ 1), an inverse depth 0–1, or X,Y with both 0–1"


@dataclass(frozen=True, slots=True)
class Auto:
    """The subject: a face where a model finds one, else what is large, near and central."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest layer that has a visible size."""


@dataclass(frozen=True, slots=True)
class LayerNumber:
    """Layer `number`, 1 = nearest."""

    number: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed inverse depth in [0, 1]."""

    inverse_depth: float


@dataclass(frozen=True, slots=True)
class Point:
    """The thing under a point, in relative picture coordinates from the top left; followed when it moves."""

    x: float
    y: float


Target: TypeAlias = Auto | Nearest | LayerNumber | Fixed | Point


def parse_focus(text: str) -> Target:
    """`auto`, `nearest`, `layer:N`, an inverse depth or `X,Y`. Raises InputError."""
    target = read_target(text)
    if target is None:
        raise InputError(f"--focus {text}: expected {FORMS}")
    return target


def read_target(text: str) -> Target | None:
    """The target that `text` names, None where it names none."""
    if text in ("auto", "nearest"):
        return Auto() if text == "auto" else Nearest()
    try:
        if text.startswith("layer:"):
            return LayerNumber(_at_least_one(int(text.removeprefix("layer:"))))
        numbers = [_in_unit_interval(float(part)) for part in text.split(",")]
        return Fixed(*numbers) if len(numbers) == 1 else Point(*numbers)
    except (ValueError, TypeError):
        return None


def write_target(target: Target) -> str:
    """The text that `read_target` reads as `target`, exactly."""
    match target:
        case Auto():
            return "auto"
        case Nearest():
            return "nearest"
        case LayerNumber(number):
            return f"layer:{number}"
        case Fixed(inverse_depth):
            return repr(float(inverse_depth))
        case Point(x, y):
            return f"{float(x)!r},{float(y)!r}"


def _in_unit_interval(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError(value)
    return value


def _at_least_one(value: int) -> int:
    if value < 1:
        raise ValueError(value)
    return value
