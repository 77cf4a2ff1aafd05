"""The short nets that a study has trained, and their table.

`python -m pullfocus.training.trials TABLE.json` prints it as Markdown, as it stands in training/recipes.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ..engines.atomic import write_text
from ..engines.environment import environment
from ..kernels.errors import InputError
from .tool import run_tool

# What is told of each source of validation pictures: where a figure says something.
COLUMNS = {
    "nyu_labeled_1449": ("NYU", {"pair_order": "order", "delta1": "δ1", "edge_ratio": "edges"}),
    "piv_ist_kinect": ("piv", {"pair_order": "order", "delta1": "δ1"}),
    "middlebury_2003_2006": ("Middlebury", {"pair_order": "order", "edge_ratio": "edges"}),
    "people_teacher": ("people", {"pair_order": "order", "edge_ratio": "edges"}),
}
DIGITS = {"edge_ratio": 2}  # 3 for all else


@dataclass(frozen=True, slots=True)
class Trial:
    """One net of the table, and its scores by source of validation.

    train_s: seconds of training, of processor time (all threads) on a CPU, of wall time on a GPU.
    """

    row: str
    seed: int
    steps: int
    train_s: float
    sources: dict[str, dict[str, float | None]]


@dataclass(frozen=True, slots=True)
class Trials:
    """What a file holds. study: as the file of training/studies says; environments: where they ran."""

    study: dict[str, Any]
    trials: list[Trial]
    environments: list[dict[str, str]]

    @classmethod
    def read(cls, path: Path) -> Trials:
        """Raises InputError."""
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            return cls(dict(facts["study"]), [Trial(**trial) for trial in facts["trials"]], list(facts["environments"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a table of this tool ({error}); choose another file") from error

    @property
    def rows(self) -> list[str]:
        """Those of which there is a trial, in the study's order."""
        there = {trial.row for trial in self.trials}
        return [row for row in self.study["rows"] if row in there]

    def with_one_more(self, new: Trial) -> Trials:
        """Sorted, and with this machine among the environments."""
        here, order = environment("torch"), list(self.study["rows"])
        trials = sorted(
            [*self.trials, new], key=lambda trial: (trial.seed, order.index(trial.row) if trial.row in order else -1)
        )
        known = here in self.environments
        return Trials(self.study, trials, self.environments if known else [*self.environments, here])

    def write(self, path: Path) -> None:
        """Raises OutputError."""
        facts = {
            "study": self.study,
            "environments": self.environments,
            "trials": [asdict(trial) for trial in self.trials],
        }
        write_text(path, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")

    def has(self, row: str, seed: int) -> bool:
        """Whether this net has been trained."""
        return any((trial.row, trial.seed) == (row, seed) for trial in self.trials)

    def lines(self) -> list[list[str]]:
        """The cells of each row: its name, seeds, steps, and the figures of COLUMNS."""
        return [self._line(row) for row in self.rows]

    def _line(self, row: str) -> list[str]:
        mine = [trial for trial in self.trials if trial.row == row]
        steps = dict.fromkeys(str(trial.steps) for trial in mine)
        figures = [
            _told([trial.sources.get(source, {}).get(name) for trial in mine], DIGITS.get(name, 3))
            for source, (_, names) in COLUMNS.items()
            for name in names
        ]
        return [row, str(len(mine)), ", ".join(steps), *figures]


HEADS = ["row", "seeds", "steps", *(f"{title}: {head}" for title, names in COLUMNS.values() for head in names.values())]


def _told(values: Sequence[float | None], digits: int) -> str:
    """Their mean, and how far a seed is from it at most."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean = sum(known) / len(known)
    spread = f" ± {max(abs(value - mean) for value in known):.{digits}f}" if len(known) > 1 else ""
    return f"{mean:.{digits}f}{spread}"


def for_terminal(trials: Trials) -> Table:
    """The table for rich."""
    result = Table(*HEADS, box=None)
    for line in trials.lines():
        result.add_row(*line)
    return result


def as_markdown(trials: Trials) -> str:
    """The table for a document."""
    cells = [HEADS, ["---", *["---:"] * (len(HEADS) - 1)], *trials.lines()]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def main(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="a file such as benchmarks/results/ablation.json")],
) -> None:
    """Print a study's table as Markdown."""
    print(as_markdown(Trials.read(table)))


if __name__ == "__main__":
    run_tool(main)
