"""What the figures say, in sentences, and as the file holds them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from .figures import (
    along,
    fleets,
    gpu_distances,
    machine,
    qualities,
    stage_distances,
    streams,
    sweep,
    threads,
)
from .floors import furthest
from .probe import FRAME, NET, STAGES
from .record import Record
from .tables import ms, spaced, streams_words, threads_words, times

BUSY = 0.1  # share of the cores' time that other programs took, above which figures should not be kept


def findings(record: Record) -> list[str]:
    """Lines of Markdown."""
    lines = [*_where(record), _shared(record), _fleet(record), _floors(record), _conditions(record)]
    return [spaced(line) for line in lines]


def _where(record: Record) -> list[str]:
    lines = list[str]()
    for quality in qualities(record):
        found = stage_distances(record, replace(record.base, quality=quality))
        whole = next(each for each in found if each.stage == FRAME)
        parts = sorted((each for each in found if each.stage != FRAME), key=lambda each: -each.measured_ms)
        shares = ", ".join(f"{each.stage} {each.measured_ms / whole.measured_ms:.0%}" for each in parts[:3])
        most = furthest(found)
        lines.append(
            f"**{quality}**, {record.base.size}: {ms(whole.measured_ms)} ms of CPU a frame ({shares}), "
            f"{times(whole.ratio)} × its floor. Most is to be won in **{most.stage}**: {ms(most.measured_ms)} ms "
            f"against a floor of {ms(most.floor.ms)} ms ({most.floor.bound})."
        )
    return lines


def _shared(record: Record) -> str:
    alone = threads(record, FRAME, qualities(record)[0])
    return f"Threads of one stream: {threads_words(alone)}. Streams: {streams_words(streams(record))}."


def _fleet(record: Record) -> str:
    ours = machine(record)
    text = f"{ours.cores} cores made {ours.fps:.1f} frames of {record.base.size} a second"
    if not ours.safe_load:
        return f"{text}; at no load that was tried did latency stay good."
    good = "p95 at most twice that of the lightest load, 99 % of frames shown"
    return f"{text}; latency stayed good ({good}) up to {ours.safe_load:.0%} of that."


def _floors(record: Record) -> str:
    rates = record.best_rates(1)
    arrays = f"{rates.array_mb} MB against a last-level cache of {rates.cache_mb} MB"
    held = "larger than any cache" if rates.beyond_cache else "not larger than the cache, for want of memory"
    gpu = f"No GPU: {record.gpu}." if isinstance(record.gpu, str) else f"GPU: {record.gpu.name}."
    return f"Copied were arrays of {arrays} ({held}). {gpu}"


def _conditions(record: Record) -> str:
    e, shape = record.environment, record.shape
    warning = " **Too busy: measure again on an idle machine.**" if record.others > BUSY else ""
    machine = f"{e['cpu']} (family and model {e.get('cpu_model', 'unknown')}), {e['cores']} cores"
    return (
        f"Measured on {machine}, {record.engine}, commit {e['commit']}, {shape['rounds']} rounds of {shape['frames']} "
        f"frames; other programs took up to {record.others:.0%} of the cores.{warning}"
    )


def derived(record: Record) -> dict[str, Any]:
    """Exponents, distances, sharing and the fleet, for those who read the file."""
    return {
        "exponents": {quality: _exponents(record, quality) for quality in qualities(record)},
        "floors": {quality: _distances(record, quality) for quality in qualities(record)},
        "gpu_floors": [asdict(each) | {"ratio": each.ratio} for each in gpu_distances(record, record.base)],
        "threads": {q: {s: asdict(threads(record, s, q)) for s in (NET, FRAME)} for q in qualities(record)},
        "streams": asdict(streams(record)),
        "machine": asdict(machine(record)),
        "fleet": {
            quality: {
                size: {"cpu_ms": cpu_ms} | asdict(each) for size, (cpu_ms, each) in fleets(record, quality).items()
            }
            for quality in qualities(record)
        },
    }


def _exponents(record: Record, quality: Any) -> dict[str, Any]:
    return {
        axis: {stage: asdict(sweep(record, axis, stage, quality)) for stage in STAGES}
        for axis in ("size", "radius", "layers")
        if along(record, axis, quality)
    }


def _distances(record: Record, quality: Any) -> dict[str, Any]:
    """By size, then by stage."""
    return {
        each.case.size: {
            one.stage: asdict(one) | {"ratio": round(one.ratio, 2)} for one in stage_distances(record, each.case)
        }
        for each in along(record, "size", quality)
    }
