"""What options of the benchmarks' programs take, for argparse."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def count(text: str) -> int:
    """A whole number of 1 or more. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"got {text!r}, expected a whole number of 1 or more")
    return int(text)


def between(unit: str, least: float, most: float) -> Callable[[str], float]:
    """Takes a number of `unit` from `least` to `most`, or raises ArgumentTypeError."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ArgumentTypeError(f"got {text!r}, expected {unit}, {least:g} to {most:g}")
        return value

    return number
