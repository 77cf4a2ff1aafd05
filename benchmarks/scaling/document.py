"""The parts of docs/performance.md that come from the result file, between markers."""

from __future__ import annotations

import re
from pathlib import Path

from ...engines.atomic import write_text
from ...kernels.errors import InputError
from .findings import findings
from .record import Record
from .tables import sheets

MARK = re.compile(r"(<!-- scaling:(\w+) -->\n).*?(<!-- /scaling:\2 -->)", re.DOTALL)
PICTURE = re.compile(r"\]\((\w+)/(scaling_\w+\.png)\)")


def parts(record: Record) -> dict[str, str]:
    """Name of a marker → what stands within."""
    found = {sheet.name: sheet.markdown() for sheet in sheets(record)}
    return found | {"findings": "\n".join(f"* {line}" for line in findings(record))}


def filled(text: str, record: Record, path: Path) -> str:
    """The document with the figures of `record`. Raises InputError where a marker is missing or unknown."""
    made = parts(record)
    marks = [found[2] for found in MARK.finditer(text)]
    if sorted(marks) != sorted(made):
        raise InputError(
            f"{path}: got markers {', '.join(marks) or 'none'}, expected each of {', '.join(sorted(made))} once, as "
            "<!-- scaling:NAME --> and <!-- /scaling:NAME --> on lines of their own"
        )
    return MARK.sub(lambda found: f"{found[1]}{made[found[2]]}\n{found[3]}", text)


def fill(path: Path, record: Record) -> None:
    """Write the document anew, and those plots that it shows. Raises InputError and OutputError."""
    from .plots import write_plots

    text = filled(read(path), record, path)
    names = {name for _, name in PICTURE.findall(text)}
    for folder in {folder for folder, _ in PICTURE.findall(text)}:
        write_plots(record, path.parent / folder, names)
    write_text(path, text)


def read(path: Path) -> str:
    """Raises InputError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read it ({error}); expected docs/performance.md") from error
