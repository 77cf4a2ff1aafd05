"""The figures as tables: for the terminal, and as Markdown for docs/performance.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rich.table import Table

from ...kernels.api import Quality
from .figures import (
    Sharing,
    along,
    fleets,
    gpu_distances,
    loads,
    machine,
    qualities,
    stage_distances,
    streams,
    sweep,
    windows,
)
from .figures import threads as threads_of
from .fits import TOO_FEW, Power
from .fleet import gpu_hours, needed
from .floors import Distance
from .probe import FRAME, NET, STAGES
from .record import Record

NONE = "n/a"
BOUNDS = {"memory": "mem", "multiply": "mul"}
DEADLINE_H = 24.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text. name: of its place in the document; the first column is to the left, all others to the right."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def markdown(self) -> str:
        lines = [self.heads, ("---", *("---:" for _ in self.heads[1:])), *self.rows]
        return spaced("\n".join(f"| {' | '.join(line)} |" for line in lines))

    def rich(self) -> Table:
        table = Table(title=self.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for index, head in enumerate(self.heads):
            table.add_column(head, justify="right" if index else "left", no_wrap=not index)
        for row in self.rows:
            table.add_row(*row)
        return table


def sheets(record: Record, hours: float = DEADLINE_H) -> list[Sheet]:
    """All of them, in the document's order. hours: a fleet's deadline."""
    first = [make(record) for make in (stages_sheet, exponents_sheet, rates_sheet, sharing_sheet)]
    return [*first, fleet_sheet(record, hours)]


def stages_sheet(record: Record) -> Sheet:
    """Where a frame's time goes at the base size, and how far that is from the floor."""
    found = {quality: stage_distances(record, replace(record.base, quality=quality)) for quality in qualities(record)}
    on_gpu = {each.stage: each for each in gpu_distances(record, record.base)}
    heads = ["stage"]
    for quality in found:
        heads += [f"{quality}: CPU ms", "floor ms", "× floor"]
    rows = list[tuple[str, ...]]()
    for stage in STAGES:
        cells = [stage]
        for some in found.values():
            cells += _distance(next(each for each in some if each.stage == stage))
        rows.append((*cells, *_distance(on_gpu.get(stage))))
    title = f"Where the time of a frame of {record.base.size} goes"
    return Sheet("stages", title, (*heads, "GPU ms", "floor ms", "× floor"), rows)


def _distance(found: Distance | None) -> list[str]:
    if found is None:
        return [NONE] * 3
    return [ms(found.measured_ms), f"{ms(found.floor.ms)} {BOUNDS[found.floor.bound]}", times(found.ratio)]


def exponents_sheet(record: Record) -> Sheet:
    """cost ~ size^a · radius^b · K^c. The second quality has rows only for what it changes."""
    first, *others = qualities(record)
    rows = [_grows(record, stage, first) for stage in (NET, "temporal", "edges", "layers", "refocus", FRAME)]
    rows += [_grows(record, stage, quality) for quality in others for stage in ("refocus", FRAME)]
    heads = ("stage", "size^a", "radius^b", "K^c", "a at the large end", "ms: fixed + per megapixel")
    return Sheet("exponents", "How cost grows", heads, rows)


def _grows(record: Record, stage: str, quality: Quality) -> tuple[str, ...]:
    found = {axis: sweep(record, axis, stage, quality) for axis in ("size", "radius", "layers")}
    line, size = found["size"].affine, found["size"].power
    fixed = TOO_FEW if line is None else f"{ms(line.fixed)} + {ms(line.each)}"
    last = TOO_FEW if size is None else signed(size.last)
    return f"{stage}, {quality}", *(exponent(each.power) for each in found.values()), last, fixed


def rates_sheet(record: Record) -> Sheet:
    """What the machine can do at best."""
    rows = list[tuple[str, ...]]()
    for count in sorted({rates.threads for rates in record.rates}):
        rates = record.best_rates(count)
        where = f"{count} core{'s' if count > 1 else ''}"
        kinds = (f"{rates.gmac_s[kind]:.0f}" for kind in ("f32", "bf16", "int8"))
        rows.append((where, f"{rates.copy_gb_s:.1f}", f"{rates.cached_copy_gb_s:.1f}", *kinds, NONE))
    if isinstance(record.gpu, str):
        rows.append(("GPU", *[NONE] * 6))
    else:
        copy, multiply = (max(each[name] for each in record.gpu.rates) for name in ("copy_gb_s", "fp16_gmac_s"))
        rows.append((record.gpu.name, f"{copy:.0f}", NONE, NONE, NONE, NONE, f"{multiply:.0f}"))
    heads = ("rates", "copy, GB/s", "of 720p pictures", "f32, GMAC/s", "bf16", "int8", "fp16")
    return Sheet("rates", "What the machine can do", heads, rows)


def sharing_sheet(record: Record) -> Sheet:
    """Threads of one stream, streams as fast as they go, and streams at shares of what they can do."""
    rows = list[tuple[str, ...]]()
    for quality in qualities(record):
        shared = threads_of(record, FRAME, quality)
        for count, rate, share in zip(shared.counts, shared.rates, shared.efficiency, strict=True):
            name = f"{_counted(count, 'thread')}, {quality}"
            rows.append((name, f"{rate:.1f}", f"{share:.0%}", ms(1e3 / rate), NONE, NONE))
    for each, share in zip(windows(record, None), streams(record).efficiency, strict=True):
        name = _counted(each.streams, "stream")
        rows.append((name, f"{each.fps:.1f}", f"{share:.0%}", ms(each.p50_ms), ms(each.p95_ms), NONE))
    for each in loads(record):
        name = f"load {each.share or 0.0:.0%}"
        rows.append((name, f"{each.fps:.1f}", NONE, ms(each.p50_ms), ms(each.p95_ms), f"{each.dropped:.1%}"))
    heads = (record.base.size, "fps", "efficiency", "p50 ms", "p95 ms", "dropped")
    return Sheet("sharing", "Threads, streams and load", heads, rows)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def fleet_sheet(record: Record, hours: float = DEADLINE_H) -> Sheet:
    """A million frames of each size. hours: in which they have to be done."""
    ours, rows = machine(record), list[tuple[str, ...]]()
    for quality in qualities(record):
        for size, (cpu_ms, each) in fleets(record, quality).items():
            rows.append((
                f"{size} {quality}", ms(cpu_ms), f"{each.cpu_hours:.1f}", f"{each.machine_hours:.1f}",
                str(each.cores_for(hours, ours)), str(each.machines_for(hours)), str(each.streams),
                *_on_gpus(record, quality, size, hours),
            ))  # fmt: skip
    heads = ("a million frames", "CPU ms a frame", "core-hours", f"hours of {_counted(ours.cores, 'core')}",
             f"cores for {hours:g} h", f"machines for {hours:g} h", "streams of 30 fps", "GPU-hours",
             f"GPUs for {hours:g} h")  # fmt: skip
    return Sheet("fleet", "What a million frames take", heads, rows)


def _on_gpus(record: Record, quality: Quality, size: str, hours: float) -> tuple[str, str]:
    case = next(each.case for each in along(record, "size", quality) if each.case.size == size)
    frame = next((each for each in gpu_distances(record, case) if each.stage == FRAME), None)
    if frame is None:
        return NONE, NONE
    taken = gpu_hours(frame.measured_ms)
    return f"{taken:.2f}", str(needed(taken, hours))


def exponent(found: Power | None) -> str:
    """With its interval."""
    if found is None:
        return TOO_FEW
    return f"{signed(found.exponent)} ({signed(found.low)} to {signed(found.high)})"


def spaced(text: str) -> str:
    """With a space before every percent sign."""
    return re.sub(r"(\d)%", r"\1 %", text)


def signed(value: float) -> str:
    """Two digits after the point, with a true minus, and none before 0."""
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def threads_words(found: Sharing) -> str:
    """What Amdahl's law says of threads."""
    return TOO_FEW + " counts for Amdahl's law" if found.serial is None else f"serial share {found.serial:.0%} (Amdahl)"


def streams_words(found: Sharing) -> str:
    """What the universal scalability law says of streams, for which cores are among what they queue for."""
    if found.usl is None:
        return f"{TOO_FEW} counts for the universal scalability law"
    return f"queueing {found.usl.queueing:.2f}, talk {found.usl.talk:.3f} (universal scalability law)"


def ms(value: float) -> str:
    """Three figures."""
    return (
        f"{value:.0f}"
        if value >= 99.5
        else f"{value:.1f}"
        if value >= 9.95
        else f"{value:.2f}"
        if value >= 0.1
        else f"{value:.3f}"
    )


def times(ratio: float) -> str:
    """As a factor."""
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}"
