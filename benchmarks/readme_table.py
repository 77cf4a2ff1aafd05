"""The README's table of figures, made from the committed result files; `readme_rows` says what stands in it.

.venv/bin/python -m pullfocus.benchmarks.readme_table --check    exit code 1 where the README says anything else
.venv/bin/python -m pullfocus.benchmarks.readme_table --write
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..engines.atomic import write_text
from ..kernels.errors import InputError
from ..training.tool import one_line_errors
from .readme_rows import ROWS, Row
from .result_file import read_object

ROOT = Path(__file__).resolve().parents[1]
RESULTS = "benchmarks/results"
BEGIN = "<!-- figures: made by python -m pullfocus.benchmarks.readme_table --write -->"
END = "<!-- /figures -->"
HEADS = ("question", "answer", "command", "file")
DIFFERS = 1  # exit code


def as_markdown(rows: Sequence[Row], root: Path = ROOT) -> str:
    """The table; a row one of whose files is missing is not in it. Raises InputError for a file that does not fit."""
    lines, before = [_line(HEADS), _line(["---"] * len(HEADS))], ""
    for row in rows:
        paths = [root / RESULTS / f"{name}.json" for name in row.files]
        if all(path.is_file() for path in paths):
            files = ", ".join(f"`{RESULTS}/{name}.json`" for name in row.files)
            command = "the same" if row.command == before else row.command
            lines.append(_line((row.question, _answer(row, paths), command, files)))
            before = row.command
    return "\n".join(lines)


def _answer(row: Row, paths: Sequence[Path]) -> str:
    facts = [read_object(path, "expected a result of a benchmark") for path in paths]
    try:
        return row.answer(*facts)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        named = ", ".join(row.files)
        raise InputError(
            f"{named}: {error!r} where the row {row.question[:40]!r}… looks; measure again, or change benchmarks/"
            "readme_rows.py"
        ) from error


def _line(cells: Sequence[str]) -> str:
    if all(cell == "---" for cell in cells):
        return "|" + "|".join(cells) + "|"
    return "| " + " | ".join(cells) + " |"


def replaced(readme: str, table: str) -> str:
    """The README with `table` between its markers. Raises InputError where they are not there once each, in order."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise InputError(f"the README has to hold the lines {BEGIN} and {END} once each; the table goes between them")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def differences(old: str, new: str) -> list[str]:
    """The lines that only the second has, or only the first, shortened."""
    one, other = old.splitlines(), new.splitlines()
    return [f"should be: {line}" for line in other if line not in one] + [
        f"is too much: {line}" for line in one if line not in other
    ]


def main() -> int:
    """Exit code."""
    parser = argparse.ArgumentParser(prog="readme_table", description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="exit code 1 where the README says anything else")
    what.add_argument("--write", action="store_true", help="put it into the README")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout")
    options = parser.parse_args()
    table, path = as_markdown(ROWS, options.root), options.root / "README.md"
    if not options.check and not options.write:
        print(table)
        return 0
    if not path.is_file():
        raise InputError(f"{path}: no such file; run it in a checkout, or name one with --root")
    old = path.read_text(encoding="utf-8")
    new = replaced(old, table)
    if options.write:
        write_text(path, new)
    elif new != old:
        print(*differences(old, new), sep="\n")
        print(f"readme_table: {path} says other figures than the result files; run it with --write", file=sys.stderr)
        return DIFFERS
    return 0


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
