"""A part of a film, by time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..kernels.errors import InputError

DecodeChoice = Literal["auto", "cpu", "cuda"]

# A century at most: FFmpeg counts in 64 bits, in units of down to a nanosecond.
_TIME = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,7}):)?(\d{1,9}(?:\.\d{0,99})?|\.\d{1,99})")


@dataclass(frozen=True, slots=True)
class Span:
    """What the user asked for: frames at start_s ≤ t < end_s, in the film's own time. Raises InputError.

    None: from the first frame, to the last. option: what asked for the start, for errors.
    """

    start_s: Fraction | None = None
    end_s: Fraction | None = None
    option: str = "--start"

    def __post_init__(self) -> None:
        if self.start_s is not None and self.end_s is not None and self.end_s <= self.start_s:
            raise InputError(
                f"--end {float(self.end_s):g} s is not after --start {float(self.start_s):g} s; nothing would be left"
            )

    @classmethod
    def parse(cls, start: str | None, end: str | None) -> Span | None:
        """From the command line; None where neither is given. Raises InputError."""
        if start is None and end is None:
            return None
        return cls(parse_time("--start", start), parse_time("--end", end))

    def notes(self, film_end_s: Fraction) -> list[str]:
        """What there is to say of it once the film's end is known."""
        if self.end_s is None or self.end_s <= film_end_s:
            return []
        return [f"--end {float(self.end_s):g}: the film ends before it, at {float(film_end_s):.3f} s"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is to be read of a film. span: its frames; rate: pictures a second, of a sequence of pictures; strict: stop
    at the first damage; decode: on an NVIDIA GPU, or on the CPU.
    """

    span: Span | None = None
    rate: float | None = None
    strict: bool = False
    decode: DecodeChoice = "auto"


@dataclass(frozen=True, slots=True)
class Cut:
    """What a span has found in a film. start_s: time of the first frame within it, which becomes 0."""

    start_s: Fraction
    end_s: Fraction | None = None


def parse_time(option: str, text: str | None) -> Fraction | None:
    """Seconds from `12.5`, `1:02.5` or `00:01:02.500`. Raises InputError."""
    if text is None:
        return None
    match = _TIME.fullmatch(text.strip())
    if match is None or (match[2] is not None and Fraction(match[3]) >= 60) or (match[1] and int(match[2]) >= 60):
        raise InputError(f"{option} {text}: expected seconds such as 12.5, or HH:MM:SS.mmm such as 00:01:02.500")
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds)
