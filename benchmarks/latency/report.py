"""`pullfocus bench --report`: plots as PNG, and one page that holds them, the tables and the environment."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich.table import Table

from ...engines.atomic import check_target, make_folder, write_text, written_aside
from ...kernels.errors import InputError
from .measure import warnings_of
from .plots import DARK, LIGHT, NAMES, QUALITY_FILE, Plot, plots_of, quality_figures
from .request import NOT_COMPARED
from .result import Result
from .row import Row
from .table import rows_table, stage_medians_table, stages_table, summary

PAGE = "index.html"
TERMS = (
    ("latency", "from the moment a frame is captured to its hand-over to the sink, waits between stages included"),
    ("p50 … max", "percentiles of the measured frames; the warm-up is left out"),
    ("jitter", "standard deviation of the intervals between successive hand-overs"),
    ("CPU", "user and system time of all threads, per frame"),
    ("GPU", "by CUDA events: from the net's first work on the GPU to its last"),
    ("MB", "the largest resident memory of the row's own process"),
    (
        "steady",
        "the drift of latency from begin to end (Theil-Sen line, and last third against first) is below 3 % of the "
        "median or 2.5 times the noise of block medians; else from which frame on it is",
    ),
)


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A drawn plot, as two PNG files."""

    plot: Plot
    light: bytes
    dark: bytes


def check_folder(folder: Path, overwrite: bool) -> None:
    """Raises InputError where the report cannot be written, or is there without `overwrite`."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--report {folder}: not a folder; expected one, or a name for a new one")
    if not folder.exists():
        check_target(folder, overwrite)
        return
    for name in (PAGE, *(f"{plot}.png" for plot in NAMES)):
        check_target(folder / name, overwrite)


def write_report(result: Result, folder: Path, overwrite: bool) -> list[str]:
    """Write it, and return what the user should know of it. Raises InputError, OutputError."""
    check_folder(folder, overwrite)
    make_folder(folder)
    pictures = [
        Picture(plot, *(plot.png(result.rows, look) for look in (LIGHT, DARK))) for plot in plots_of(result.rows)
    ]
    for name in {*NAMES} - {picture.plot.name for picture in pictures}:  # an earlier report's, of other figures
        (folder / f"{name}.png").unlink(missing_ok=True)
    for picture in pictures:
        with written_aside(folder / f"{picture.plot.name}.png") as aside:
            aside.write_bytes(picture.light)
    write_text(folder / PAGE, page(result, pictures))
    if len({row.settings["quality"] for row in result.rows}) > 1 and not quality_figures():
        return [f"no plot of quality against speed: {QUALITY_FILE.name} is in a checkout only"]
    return []


def page(result: Result, pictures: Sequence[Picture]) -> str:
    """The page: nothing of it is fetched from anywhere."""
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    rows = result.rows
    cpu, gpu = result.environment.get("cpu", "unknown"), result.environment.get("gpu", "none")
    where = f"{cpu}, {result.environment.get('cores', '?')} cores" + ("" if gpu == "none" else f", {gpu}")
    tables = [rows_table(rows), *map(stages_table, rows[:1] if len(rows) == 1 else [])]
    tables += [stage_medians_table(rows)] if len(rows) > 1 else []
    return "".join(
        (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>pullfocus bench</title>\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{style}</style></head>\n'
            f"<body><header><p>pullfocus bench</p><h1>Latency per frame</h1><p>{escape(where)} · commit "
            f"{escape(result.environment.get('commit', 'unknown'))}</p></header>\n<main>\n",
            _warnings(warnings_of(result)),
            _cards(rows),
            *(f"<section>{html_table(table)}</section>\n" for table in tables),
            f'<div class="plots">{"".join(map(_figure, pictures))}</div>\n',
            f"<section><h2>What was measured</h2>{_facts(_common(rows))}</section>\n",
            f"<section><h2>Where</h2>{_facts(result.environment)}</section>\n",
            f"<section><h2>Terms</h2>{_facts(dict(TERMS))}</section>\n</main></body></html>\n",
        )
    )


def _warnings(lines: Sequence[str]) -> str:
    return f'<div class="warning">{"".join(f"<p>{escape(line)}</p>" for line in lines)}</div>\n' if lines else ""


def _cards(rows: Sequence[Row]) -> str:
    """The figures to be seen first: of the only row, or of the fastest."""
    best = min(rows, key=lambda row: row.latency.p50_ms)
    figures = {
        "median latency": f"{best.latency.p50_ms:.1f} ms",
        "95th percentile": f"{best.latency.p95_ms:.1f} ms",
        "rate": f"{best.fps:.1f} fps",
        "CPU a frame": f"{best.cpu_ms_per_frame:.1f} ms",
        "peak memory": f"{best.peak_memory_mb:.0f} MB",
    }
    cards = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in figures.items())
    which = "" if len(rows) == 1 else f"The fastest of {len(rows)} rows: {best.settings['size']}. "
    return f'<dl class="cards">{cards}</dl><p class="said">{escape(which + summary(best))}</p>\n'


def html_table(table: Table) -> str:
    """A table of the terminal's as HTML."""
    sides = [' class="text"' if column.justify == "left" else "" for column in table.columns]
    head = "".join(f"<th{side}>{escape(str(column.header))}</th>" for side, column in zip(sides, table.columns))
    lines = zip(*(column.cells for column in table.columns), strict=True)
    cells = ["".join(f"<td{side}>{escape(str(cell))}</td>" for side, cell in zip(sides, line)) for line in lines]
    body = "".join(f"<tr>{line}</tr>" for line in cells)
    return (
        f'<h2>{escape(str(table.title))}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figure(picture: Picture) -> str:
    light, dark = (
        f"data:image/png;base64,{b64encode(png).decode('ascii')}" for png in (picture.light, picture.dark)
    )  # fmt: skip
    title = escape(picture.plot.title)
    return (
        f'<figure><figcaption>{title}</figcaption><picture><source media="(prefers-color-scheme: dark)" '
        f'srcset="{dark}"><img src="{light}" alt="{title}"></picture></figure>\n'
    )


def _common(rows: Sequence[Row]) -> dict[str, str]:
    """Settings that all rows share, and how long each was measured."""
    first = rows[0].settings
    shared = {
        key.replace("_", " "): str(value)
        for key, value in first.items()
        if key not in NOT_COMPARED and value is not None and all(row.settings[key] == value for row in rows)
    }
    costs = max(row.measuring for row in rows)
    loads = [f"{row.conditions.load_before} → {row.conditions.load_after}" for row in rows]
    frames = ", ".join(
        sorted({f"{len(row.runs)} × {row.runs[0]} measured after {row.left_out} left out" for row in rows})
    )
    return shared | {
        "frames": frames,
        "load before → after": ", ".join(loads),
        "recording a frame costs": f"{costs:.3%}",
    }


def _facts(facts: dict[str, str]) -> str:
    lines = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    return f'<table class="facts">{lines}</table>'
