"""What a job knows once all its segments are there, and only their joining is left."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..engines.atomic import write_text
from .damage import Damage


@dataclass(frozen=True, slots=True)
class Completed:
    """segments: how many there are. notes, damage: what there is to say of the input."""

    segments: int
    notes: list[str]
    damage: Damage

    @classmethod
    def read(cls, path: Path) -> Completed | None:
        """None where it was never written, or is damaged."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(told["segments"]), [str(note) for note in told["notes"]], Damage(**told["damage"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Raises OutputError."""
        write_text(path, json.dumps(asdict(self)))
