"""The file of `pullfocus bench --json`: rows with all their series, and what they were measured on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...engines.atomic import write_text
from ...kernels.errors import InputError
from .row import Row

FORMAT = "pullfocus bench 2"
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
        facts = _load(path)
        if facts.get("format") != FORMAT:
            if "stages" in facts and "latency" in facts:
                raise InputError(
                    f"{path}: written by an older pullfocus bench, without the series that a comparison needs; "
                    "measure again with pullfocus bench --json"
                )
            raise InputError(f"{path}: no result of pullfocus bench; expected a file that bench --json has written")
        try:
            rows = [Row.of_facts(row) for row in facts["rows"]]
            surroundings = {str(name): str(value) for name, value in facts["environment"].items()}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); measure again") from error
        if not rows:
            raise InputError(f"{path}: holds no row; measure again")
        return cls(rows, surroundings)


def _load(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read it ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); expected a file that bench --json has written") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path}: no result of pullfocus bench; expected a file that bench --json has written")
    return cast(dict[str, Any], facts)
