"""What is broken in an input: counted, said, never passed over in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(slots=True)
class Damage:
    """What was broken in an input.

    skipped: packets without a frame; partial: packets that lack a part; concealed: frames with a guessed part.
    """

    skipped: int = 0
    partial: int = 0
    concealed: int = 0
    ends_early: bool = False  # so badly that its rest cannot be found

    def more(self, other: Damage) -> Damage:
        """Of both."""
        return Damage(
            self.skipped + other.skipped,
            self.partial + other.partial,
            self.concealed + other.concealed,
            self.ends_early or other.ends_early,
        )

    def notes(self) -> list[str]:
        """For the report."""
        told = {
            f"damaged packets of the input that were skipped: {self.skipped}; the picture before stays": self.skipped,
            f"incomplete packets of the input: {self.partial}": self.partial,
            f"broken frames of the input that were concealed: {self.concealed}": self.concealed,
            "the input ends early: it is damaged": self.ends_early,
        }
        return [note for note, happened in told.items() if happened]


@runtime_checkable
class Telling(Protocol):
    """An input whose decoder tells what is broken in it; a camera's driver tells nothing."""

    @property
    def damage(self) -> Damage:
        """In what has been read so far; it goes on counting."""
        ...
