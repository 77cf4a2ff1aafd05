"""The plots of a bench result, each in a light and a dark look."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .request import names_of
from .row import Row

QUALITY_FILE = Path(__file__).resolve().parents[1] / "results" / "thin_lens.json"  # in a checkout only
INCHES, DPI = (7.2, 3.8), 140
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")  # Tol's: told apart by the colour-blind
MOST_ROWS = len(COLOURS)  # of which single frames are drawn
TAIL = 99.5  # percentile at which a histogram ends, or one outlier would flatten it


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a page. faint: of lines that only guide the eye."""

    name: str
    ground: str
    ink: str
    faint: str

    @property
    def settings(self) -> Any:
        """For matplotlib, which knows its keys one by one."""
        inked = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")
        return dict.fromkeys(inked, self.ink) | {
            "figure.facecolor": self.ground,
            "savefig.facecolor": self.ground,
            "axes.facecolor": self.ground,
            "axes.edgecolor": self.faint,
            "grid.color": self.faint,
            "axes.grid": True,
            "grid.linewidth": 0.5,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "font.size": 9,
            "legend.frameon": False,
            "legend.fontsize": 8,
        }


LIGHT = Look("light", "#ffffff", "#1c2330", "#d5dae2")
DARK = Look("dark", "#171b22", "#e4e8ef", "#3a4250")

Draw: TypeAlias = Callable[[Axes, Sequence[Row], Look], None]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot and what it is called on the page; `name`.png is its file."""

    name: str
    title: str
    draw: Draw

    def png(self, rows: Sequence[Row], look: Look) -> bytes:
        """The plot as a file."""
        stream = BytesIO()
        with rc_context(look.settings):
            figure = Figure(figsize=INCHES, layout="constrained")
            self.draw(figure.add_subplot(), rows, look)
            figure.savefig(stream, dpi=DPI, format="png")
        return stream.getvalue()


def plots_of(rows: Sequence[Row]) -> list[Plot]:
    """Those that these rows have something to show in."""
    found = [
        Plot("histogram", "How latency is spread", draw_histogram),
        Plot("stages", "Where a frame's time goes (medians)", draw_stages),
        Plot("frames", "Latency, frame by frame", draw_frames),
    ]
    for key, title in (("size", "Latency against picture size"), ("aperture", "Latency against aperture radius")):
        if len({row.settings[key] for row in rows}) > 1:
            found.append(Plot(key, title, _draw_against(key)))
    quality = quality_figures()
    if len({row.settings["quality"] for row in rows} & quality.keys()) > 1:
        found.append(Plot("pareto", "Quality against speed", _draw_pareto(quality)))
    return found


NAMES = ("histogram", "stages", "frames", "size", "aperture", "pareto")


def quality_figures(path: Path = QUALITY_FILE) -> dict[str, float]:
    """Mean PSNR in dB against a sampled thin lens for each `--quality`; {} where it was not measured."""
    try:
        families = json.loads(path.read_text(encoding="utf-8"))["psnr_db"].values()
        return {name: float(np.mean([family[name]["all"] for family in families])) for name in ("fast", "fine")}
    except (OSError, ValueError, KeyError):
        return {}


def draw_histogram(axes: Axes, rows: Sequence[Row], look: Look) -> None:
    """Latency of all measured frames; the median and the 95th percentile of a single row."""
    shown = rows[:MOST_ROWS]
    end_ms = max(float(np.percentile(row.latency_us, TAIL)) for row in shown) / 1e3
    begin_ms = min(float(row.latency_us.min()) for row in shown) / 1e3
    bins = cast(list[float], np.linspace(begin_ms, max(end_ms, begin_ms + 0.1), 50).tolist())
    for row, name, colour in zip(shown, names_of([row.settings for row in rows]), COLOURS):
        axes.hist(row.latency_us / 1e3, bins=bins, color=colour, alpha=0.9 if len(shown) == 1 else 0.55, label=name)
    if len(shown) == 1:
        _mark_percentiles(axes, shown[0], look)
    else:
        axes.legend()
    some = f"; the first {MOST_ROWS} rows" if len(rows) > MOST_ROWS else ""
    axes.set_xlabel(f"latency, ms, to its {TAIL:g}th percentile{some}")
    axes.set_ylabel("frames")


def _mark_percentiles(axes: Axes, row: Row, look: Look) -> None:
    for name, value_ms in (("p50", row.latency.p50_ms), ("p95", row.latency.p95_ms)):
        axes.axvline(value_ms, color=look.ink, linewidth=1, linestyle="--")
        axes.annotate(
            f" {name} {value_ms:.1f} ms", (value_ms, 0.95), xycoords=("data", "axes fraction"), fontsize=8, va="top"
        )


def draw_stages(axes: Axes, rows: Sequence[Row], look: Look) -> None:
    """A bar for each row: the median of each stage, and what is left of the median latency as waiting."""
    names = names_of([row.settings for row in rows])
    ends = np.zeros(len(rows))
    for stage, colour in zip(rows[0].stages_us, COLOURS):
        lengths = np.array([row.stages[stage].p50_ms for row in rows])
        axes.barh(names, lengths, left=ends, color=colour, label=stage)
        ends += lengths
    waits = np.maximum(np.array([row.latency.p50_ms for row in rows]) - ends, 0.0)
    axes.barh(names, waits, left=ends, color=look.faint, label="waiting for another stage")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("ms")
    axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def draw_frames(axes: Axes, rows: Sequence[Row], look: Look) -> None:
    """The series as measured; a line where the steady state of a single row begins."""
    for row, name, colour in zip(rows[:MOST_ROWS], names_of([row.settings for row in rows]), COLOURS):
        axes.plot(row.latency_us / 1e3, color=colour, linewidth=0.9, label=name)
    if len(rows) == 1 and rows[0].steadiness.from_frame:
        axes.axvline(rows[0].steadiness.from_frame, color=look.ink, linewidth=1, linestyle="--")
    if len(rows) > 1:
        axes.legend()
    axes.set_ylim(bottom=0.0)
    some = f"; the first {MOST_ROWS} rows" if len(rows) > MOST_ROWS else ""
    axes.set_xlabel(f"measured frame{some}")
    axes.set_ylabel("latency, ms")


def _draw_against(key: str) -> Draw:
    """A line for all rows that differ in `key` only: medians, and a band up to the 95th percentile."""

    def draw(axes: Axes, rows: Sequence[Row], _look: Look) -> None:
        groups = _groups(rows, key)
        for (name, group), colour in zip(groups.items(), COLOURS * (1 + len(groups) // len(COLOURS))):
            ordered = sorted(group, key=lambda row: _place(key, row))
            at = [_place(key, row) for row in ordered]
            median, p95 = ([getattr(row.latency, figure) for row in ordered] for figure in ("p50_ms", "p95_ms"))
            axes.plot(at, median, marker="o", color=colour, label=name or "median")
            axes.fill_between(at, median, p95, color=colour, alpha=0.18, linewidth=0, label=None if name else "to p95")
        if key == "size":
            sizes = {_place(key, row): str(row.settings["size"]) for row in rows}
            axes.set_xticks(list(sizes), list(sizes.values()))
        axes.set_xlabel("picture size, evenly by pixels" if key == "size" else "aperture: radius, % of picture height")
        axes.set_ylabel("latency, ms: median, and up to p95")
        axes.set_ylim(bottom=0.0)
        axes.legend()

    return draw


def _groups(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    rest = [{name: value for name, value in row.settings.items() if name != key} for row in rows]
    alone = all(each == rest[0] for each in rest)
    groups = defaultdict[str, list[Row]](list)
    for row, name in zip(rows, [""] * len(rows) if alone else names_of(rest), strict=True):
        groups[name].append(row)
    return groups


def _place(key: str, row: Row) -> float:
    """Where a row is on the axis."""
    if key != "size":
        return float(row.settings[key])
    width, _, height = str(row.settings["size"]).partition("x")
    return float(int(width) * int(height))


def _draw_pareto(quality: dict[str, float]) -> Draw:
    """A point for each row, joined where only `--quality` differs; ringed where none of the same size beats it in both.

    Quality is that of `--quality` on drawn scenes, whatever the rows' pictures are.
    """

    def at(row: Row) -> tuple[float, float]:
        return row.latency.p50_ms, quality[row.settings["quality"]]

    def draw(axes: Axes, rows: Sequence[Row], look: Look) -> None:
        groups = _groups([row for row in rows if row.settings["quality"] in quality], "quality")
        for (name, group), colour in zip(groups.items(), COLOURS * (1 + len(groups) // len(COLOURS))):
            points = sorted(map(at, group), key=lambda point: point[1])
            axes.plot(*zip(*points), marker="o", color=colour, label=name or None)
        sizes = defaultdict[str, list[tuple[float, float]]](list)
        for row in (row for group in groups.values() for row in group):
            sizes[str(row.settings["size"])].append(at(row))
        front = [point for points in sizes.values() for point in pareto_front(points)]
        axes.scatter(*zip(*front), s=130, facecolors="none", edgecolors=look.ink, label="beaten by none of its size")
        for name, value in quality.items():
            axes.annotate(f" {name}", (0, value), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
        axes.margins(x=0.15, y=0.2)
        axes.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
        axes.set_xlabel("median latency, ms")
        axes.set_ylabel("PSNR on drawn scenes, dB")

    return draw


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (latency, quality) those that no other beats in both, by rising latency."""
    front = list[tuple[float, float]]()
    for point in sorted(set(points), key=lambda point: (point[0], -point[1])):
        if not front or point[1] > front[-1][1]:
            front.append(point)
    return front
