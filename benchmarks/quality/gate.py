"""Which figures are worse than in a baseline by more than their tolerance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ...kernels.errors import InputError
from .measures import MEASURES, Measure
from .request import Settings
from .result import Key, Result

ROUNDING = 1e-6  # of the files


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of both. before, after: None = it could not be taken."""

    key: Key
    before: float | None
    after: float | None

    @property
    def measure(self) -> Measure:
        return MEASURES[self.key[2]]

    @property
    def is_worse(self) -> bool:
        """By more than its tolerance, or not to be had any more."""
        if self.before is None or self.after is None:
            return self.before is not None
        return self.measure.worse_by(self.before, self.after) > self.measure.tolerance + ROUNDING

    @property
    def words(self) -> str:
        """What became worse, in one line."""
        suite, subject, _ = self.key
        shown = (said(self.measure, value) for value in (self.after, self.before))
        return (
            f"{suite}, {subject}: {self.measure.label} {' against '.join(shown)} before; "
            f"tolerance {self.measure.tolerance:g} ({self.measure.why})"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """both: figures that both have. only_before, only_after: names of those that one has."""

    both: list[Compared]
    only_before: list[str]
    only_after: list[str]

    @property
    def worse(self) -> list[Compared]:
        return [each for each in self.both if each.is_worse]


def check_alike(baseline: Result, settings: Settings, path: Path) -> None:
    """Raises InputError where the baseline was taken in another way."""
    differences = baseline.settings.differences(settings)
    if differences:
        raise InputError(
            f"--gate {path}: taken with other settings than this run's: {', '.join(differences)}; "
            "give both the same --small, --seed, --model and --precision"
        )


def compare(before: Result, after: Result, suites: Collection[str]) -> Comparison:
    """suites: those that `after` was asked for; the baseline's others do not count. Raises InputError: none in both."""
    old = {key: value for key, value in before.by_key().items() if key[0] in suites}
    new = after.by_key()
    both = [Compared(key, old[key], new[key]) for key in new if key in old]
    if not both:
        raise InputError("the baseline has none of the figures of this run; take both with the same options")
    return Comparison(
        both, [_named(key) for key in old if key not in new], [_named(key) for key in new if key not in old]
    )


def said(measure: Measure, value: float | None) -> str:
    """A figure as people read it."""
    return "–" if value is None else f"{value:.{measure.digits}f}"


def _named(key: Key) -> str:
    suite, subject, measure = key
    return f"{suite}, {subject}: {MEASURES[measure].label}"
