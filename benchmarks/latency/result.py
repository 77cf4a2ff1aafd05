"""The file of `pullfocus bench --json`: rows with all their series, and what they were measured on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...engines.atomic import write_text
from ...kernels.errors import InputError
from ..result_file import read_object
from .row import Row

FORMAT = "pullfocus bench 2"
EXPECTED = "expected a file that pullfocus bench --json has written"
NUMBERS = re.compile(r"\[\s+(-?\d+(?:,\s+-?\d+)*)\s+\]")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result:
    """rows: at least one. environment: as of `machine_state.surroundings`."""

    rows: list[Row]
    environment: dict[str, str]

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises OutputError."""
        facts = {
            "format": FORMAT,
            "environment": self.environment,
            "rows": [row.facts() for row in self.rows],
        }
        # A series is a line, so that people can look at the rest.
        text = NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", json.dumps(facts, indent=1))
        write_text(path, text + "\n")

    @classmethod
    def read(cls, path: Path) -> Result:
        """Raises InputError for whatever `write` did not write."""
        facts = read_object(path, EXPECTED)
        if facts.get("format") != FORMAT:
            if "stages" in facts and "latency" in facts:
                raise InputError(
                    f"{path}: written by an older pullfocus bench, without the series that a comparison needs; "
                    "measure again with pullfocus bench --json"
                )
            raise InputError(f"{path}: no result of pullfocus bench; {EXPECTED}")
        try:
            rows = [Row.of_facts(row) for row in facts["rows"]]
            surroundings = {str(name): str(value) for name, value in facts["environment"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); measure again") from error
        if not rows:
            raise InputError(f"{path}: holds no row; measure again")
        return cls(rows, surroundings)
