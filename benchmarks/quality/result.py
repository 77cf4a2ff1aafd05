"""The file of `pullfocus bench quality --json`: the figures, how they were taken, and what they depend on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...engines.atomic import write_text
from ...kernels.errors import InputError
from ..result_file import read_object
from .measures import MEASURES
from .request import Settings

FORMAT = "pullfocus quality 1"
EXPECTED = "expected a file that pullfocus bench quality --json has written"
DECIMALS = 6
Key = tuple[str, str, str]  # suite, what was looked at, measure


@dataclass(frozen=True, slots=True)
class Result:
    """figures: suite → what was looked at → measure of MEASURES → figure; None = it could not be taken.

    weights: SHA-256 of the net's file. left_out: a line for each part that lacked its pictures.
    """

    settings: Settings
    figures: dict[str, dict[str, dict[str, float | None]]]
    weights: str
    environment: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def by_key(self) -> dict[Key, float | None]:
        """All figures in their order."""
        return {
            (suite, subject, measure): value
            for suite, subjects in self.figures.items()
            for subject, measures in subjects.items()
            for measure, value in measures.items()
        }

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises OutputError."""
        facts = {
            "format": FORMAT,
            "settings": {**asdict(self.settings), "seeds": self.settings.seeds},
            "figures": self.figures,
            "left_out": self.left_out,
            "weights_sha256": self.weights,
            "environment": self.environment,
        }
        write_text(path, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> Result:
        """Raises InputError for whatever `write` did not write."""
        facts = read_object(path, EXPECTED)
        if facts.get("format") != FORMAT:
            raise InputError(f"{path}: no result of pullfocus bench quality; {EXPECTED}")
        try:
            asked = {name: value for name, value in facts["settings"].items() if name != "seeds"}
            return cls(
                Settings(**asked),
                _checked(facts["figures"]),
                str(facts["weights_sha256"]),
                {str(name): str(value) for name, value in facts["environment"].items()},
                tuple(map(str, facts["left_out"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); {EXPECTED}") from error


def known(figures: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """As JSON can say them; rounded, so that files are easy to read."""
    return {
        subject: {name: round(value, DECIMALS) if math.isfinite(value) else None for name, value in measures.items()}
        for subject, measures in figures.items()
    }


def _checked(figures: Any) -> dict[str, dict[str, dict[str, float | None]]]:
    """Raises ValueError, TypeError or AttributeError."""
    return {
        str(suite): {
            str(subject): {_measure(name): None if value is None else _number(value) for name, value in found.items()}
            for subject, found in subjects.items()
        }
        for suite, subjects in figures.items()
    }


def _measure(name: str) -> str:
    if name not in MEASURES:
        raise ValueError(f"unknown figure {name!r}")
    return name


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"got {value!r} for a number")
    return float(value)
