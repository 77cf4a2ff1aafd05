"""The figures as plots: log-log with what was fitted, streams, latency against load, and distance from the floors."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...engines.atomic import make_folder, written_aside
from ..latency.plots import COLOURS, DPI, INCHES, LIGHT
from .figures import loads, machine, qualities, stage_distances, streams, sweep, windows
from .probe import FRAME
from .record import Record
from .tables import signed

SHOWN = ("net", "temporal", "edges", "layers", "refocus", FRAME)
LABELS = {
    "size": "megapixels of the picture",
    "radius": "radius of the blur circle at an inverse-depth difference of 1, pixels",
    "layers": "layers K",
}
Draw = Callable[[Axes, Record], None]


@dataclass(frozen=True, slots=True)
class Plot:
    """`scaling_NAME.png` is its file."""

    name: str
    draw: Draw

    def png(self, record: Record) -> bytes:
        stream = BytesIO()
        with rc_context(LIGHT.settings):
            figure = Figure(figsize=INCHES, layout="constrained")
            self.draw(figure.add_subplot(), record)
            figure.savefig(stream, dpi=DPI, format="png", metadata={"Software": None})
        return stream.getvalue()


def plots() -> list[Plot]:
    """All of them."""
    found = [Plot(axis, _against(axis)) for axis in LABELS]
    return [*found, Plot("streams", draw_streams), Plot("load", draw_loads), Plot("floors", draw_floors)]


def write_plots(record: Record, folder: Path, names: Collection[str] | None = None) -> list[Path]:
    """names: of the files that are wanted, None = all. Raises OutputError."""
    make_folder(folder)
    found = list[Path]()
    for plot in plots():
        path = folder / f"scaling_{plot.name}.png"
        if names is not None and path.name not in names:
            continue
        with written_aside(path) as aside:
            aside.write_bytes(plot.png(record))
        found.append(path)
    return found


def _against(axis: str) -> Draw:
    """Points are medians of rounds; solid lines power laws, dotted ones a fixed part and one that grows (size only).

    Stages of the first quality have a colour each, of the other only the frame is shown.
    """

    def draw(axes: Axes, record: Record) -> None:
        first, *others = qualities(record)
        for stage, colour in zip(SHOWN, COLOURS, strict=True):
            _line(axes, record, axis, stage, first, colour, "o")
        for quality in others:
            _line(axes, record, axis, FRAME, quality, LIGHT.ink, "s")
        axes.set_xscale("log")
        axes.set_yscale("log")
        x = sweep(record, axis, FRAME, first).x
        axes.set_xticks(x, [f"{value:.3g}" for value in x])
        axes.minorticks_off()
        axes.set_xlabel(LABELS[axis])
        axes.set_ylabel("CPU ms a frame")
        axes.legend(
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            title="exponent; dotted: a + b·Mpx" if axis == "size" else "exponent",
        )

    return draw


def _line(axes: Axes, record: Record, axis: str, stage: str, quality: str, colour: str, marker: str) -> None:
    found = sweep(record, axis, stage, "fine" if quality == "fine" else "fast")
    shown = np.geomspace(min(found.x), max(found.x), 40)
    label = f"{stage}, {quality}"
    if found.power is not None:
        axes.plot(shown, [found.power.at(value) for value in shown], color=colour, linewidth=1)
        label = f"{label}: {signed(found.power.exponent)}"
    if axis == "size" and found.affine is not None:
        axes.plot(shown, [found.affine.at(value) for value in shown], color=colour, linewidth=1, linestyle=":")
    axes.plot(found.x, found.ms, marker=marker, markersize=4, linestyle="", color=colour, label=label)


def draw_streams(axes: Axes, record: Record) -> None:
    """Frames a second of all streams, against what as many times one would be, and the law that was fitted."""
    shared, found = streams(record), windows(record, None)
    axes.plot(shared.counts, shared.rates, marker="o", color=COLOURS[0], label="measured")
    axes.plot(
        shared.counts, [count * shared.rates[0] for count in shared.counts], color=LIGHT.faint, label="n times one"
    )
    if shared.usl is not None:
        shown = np.linspace(1, max(shared.counts), 50)
        axes.plot(
            shown, [shared.rates[0] * shared.usl.at(n) for n in shown], color=COLOURS[1], linestyle="--",
            label="universal scalability law",
        )  # fmt: skip
    for each in found:
        axes.annotate(
            f"p50 {each.p50_ms:.0f} ms", (each.streams, each.fps), (0, -12), textcoords="offset points", fontsize=8,
            ha="center", va="top",
        )  # fmt: skip
    axes.set_xticks(shared.counts)
    axes.set_ylim(0.0, 1.6 * max(shared.rates))
    axes.set_xlabel("streams side by side, one thread for each library")
    axes.set_ylabel(f"frames a second in all, {record.base.size}")
    axes.legend()


def draw_loads(axes: Axes, record: Record) -> None:
    """Latency of live streams against the share of the machine's capacity that they ask for."""
    found = loads(record)
    shares = [100.0 * (each.share or 0.0) for each in found]
    axes.plot(shares, [each.p50_ms for each in found], marker="o", color=COLOURS[0], label="p50")
    axes.plot(shares, [each.p95_ms for each in found], marker="o", color=COLOURS[1], label="p95")
    safe = machine(record).safe_load
    if safe:
        axes.axvline(100.0 * safe, color=LIGHT.ink, linewidth=1, linestyle="--", label="good up to here")
    for each, share in zip(found, shares, strict=True):
        if each.dropped > 0.001:
            axes.annotate(
                f"{100.0 * each.dropped:.1f} % dropped", (share, each.p95_ms), (0, 6), textcoords="offset points",
                fontsize=8, ha="center", va="bottom",
            )  # fmt: skip
    axes.margins(x=0.12, y=0.15)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("frames asked for, % of what the machine makes at most")
    axes.set_ylabel("latency, ms")
    axes.legend()


def draw_floors(axes: Axes, record: Record) -> None:
    """A bar for each stage, and its floor as a mark on it; logarithmic, for they lie far apart."""
    found = stage_distances(record, replace(record.base, quality=qualities(record)[0]))
    names = [each.stage for each in found]
    axes.barh(names, [each.measured_ms for each in found], color=COLOURS[0], label="measured")
    axes.barh(names, [each.floor.ms for each in found], color=COLOURS[1], height=0.4, label="floor")
    for index, each in enumerate(found):
        axes.annotate(f" × {each.ratio:.3g}", (each.measured_ms, index), fontsize=8, va="center")
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"CPU ms a frame of {record.base.size}, {qualities(record)[0]}")
    axes.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
