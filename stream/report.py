"""What a run measured: per-stage latency, waits, drops. Printed as a table, written as JSON."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
from rich.table import Table

from ..engines.atomic import write_text
from ..engines.environment import environment
from .channel import Channel
from .damage import Damage

RECENT = 30  # frames: about a second
RECENT_FRAMES = 20_000  # percentiles look back this far, so that a run of weeks needs no more memory


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a duration in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    count: int

    @classmethod
    def of(cls, durations_s: Collection[float]) -> Spread:
        if not durations_s:
            return cls(0.0, 0.0, 0.0, 0)
        p50, p95, p99 = np.percentile(np.fromiter(durations_s, float) * 1e3, (50, 95, 99))
        return cls(float(p50), float(p95), float(p99), len(durations_s))


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds that the writer and the reader of a channel waited in all, and frames dropped there."""

    full_s: float
    empty_s: float
    dropped: int


@dataclass(frozen=True, slots=True)
class SinkFacts:
    """What one of several sinks took. dropped: frames it was too slow for. latency: capture to hand-over there.

    failed: why it ended before the run did, empty when it did not.
    """

    frames: int
    dropped: int
    latency: Spread
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One run. cpu_ms_per_frame: user + system time of all threads. latency: capture to hand-over.

    idle_s: how long nothing was computed, because nobody watched. choices: the levels that `--adaptive` took, and why.
    audio_delay_ms: by how much sound is to be delayed where these pictures are sent, None where they are not.
    damage: what was broken in the input, None where that cannot be known (a camera). before: frames that an earlier run
    of the same job had made.
    losses, away_s: how often a live source gave no picture for a while, and for how long in all.
    """

    frames: int
    dropped: int
    elapsed_s: float
    fps: float
    cpu_ms_per_frame: float
    peak_memory_mb: float
    latency: Spread
    stages: dict[str, Spread]
    waits: dict[str, Wait]
    engine: str = ""
    notes: list[str] = field(default_factory=list[str])
    sinks: dict[str, SinkFacts] = field(default_factory=dict[str, SinkFacts])
    idle_s: float = 0.0
    damage: Damage | None = field(default_factory=Damage)
    choices: list[str] = field(default_factory=list[str])
    audio_delay_ms: int | None = None
    before: int = 0
    losses: int = 0
    away_s: float = 0.0

    @property
    def bottleneck(self) -> str:
        """The stage with the largest median."""
        return max(self.stages, key=lambda name: self.stages[name].p50_ms, default="")

    def summary(self) -> str:
        """One line."""
        more = f" more, {self.before + self.frames} in all" if self.before else ""
        text = f"{self.frames} frames{more}, {self.fps:.1f} fps, {self.cpu_ms_per_frame:.0f} ms CPU a frame"
        away = f", the source was away for {self.away_s:.1f} s ({self.losses} times)" if self.losses else ""
        return f"{text}, {self.dropped} dropped{away}, depth: {self.engine}, slowest stage: {self.bottleneck}"

    def table(self) -> Table:
        """Wall time per stage."""
        table = Table("stage", "p50 ms", "p95 ms", "p99 ms", box=None)
        for name, spread in {**self.stages, "latency": self.latency}.items():
            table.add_row(name, *(f"{value:.2f}" for value in (spread.p50_ms, spread.p95_ms, spread.p99_ms)))
        return table

    def with_notes(self, notes: list[str]) -> Report:
        """The same with more notes."""
        return replace(self, notes=[*self.notes, *notes])

    def of_input(self, notes: list[str], damage: Damage) -> Report:
        """The same with what there is to say of the input."""
        return replace(self, notes=[*self.notes, *notes], damage=replace(damage))

    def write(self, path: Path) -> None:
        """Write as JSON, with what the machine is; whole or not at all. Raises OutputError."""
        facts = asdict(self) | {"bottleneck": self.bottleneck, "environment": environment()}
        write_text(path, json.dumps(facts, indent=1) + "\n")


@dataclass(frozen=True, slots=True)
class Moment:
    """How a run does now: medians of the last RECENT frames, counts since the start. latency: capture to hand-over.

    means_ms: of the same frames, for stages that take long at every few frames only.
    """

    fps: float
    latency_ms: float
    stages_ms: dict[str, float]
    frames: int
    dropped: int
    means_ms: dict[str, float] = field(default_factory=dict[str, float])


class Meter:
    """Collects durations while a run goes on; each stage writes only its own list, so no lock is needed."""

    def __init__(self, stages: list[str], keep: int | None = RECENT_FRAMES) -> None:
        """keep: how many frames it looks back; None: to the first."""
        self.durations_s: dict[str, deque[float]] = {name: deque(maxlen=keep) for name in stages}
        self.latencies_s: deque[float] = deque(maxlen=keep)
        self.frames = 0
        self._handed_s: deque[float] = deque(maxlen=RECENT)
        self._start_s, self._start_cpu_s = monotonic(), process_time()

    def hand_over(self, started_s: float, captured_s: float) -> None:
        """The sink has taken a frame, which it was given at `started_s`."""
        now_s = monotonic()
        self.durations_s["sink"].append(now_s - started_s)
        self.latencies_s.append(now_s - captured_s)
        self._handed_s.append(now_s)
        self.frames += 1

    def now(self, channels: list[Channel[Any]]) -> Moment:
        """Any thread may ask."""
        handed_s = list(self._handed_s)
        passed_s = handed_s[-1] - handed_s[0] if len(handed_s) > 1 else 0.0
        return Moment(
            fps=(len(handed_s) - 1) / passed_s if passed_s > 0.0 else 0.0,
            latency_ms=_recent_ms(self.latencies_s),
            stages_ms={name: _recent_ms(values) for name, values in self.durations_s.items()},
            frames=self.frames,
            dropped=sum(channel.stats.dropped for channel in channels),
            means_ms={name: _recent_ms(values, np.mean) for name, values in self.durations_s.items()},
        )

    def report(self, channels: list[Channel[Any]], engine: str, notes: list[str]) -> Report:
        elapsed_s, cpu_s = monotonic() - self._start_s, process_time() - self._start_cpu_s
        frames = self.frames
        waits = {c.name: Wait(c.stats.full_wait_s, c.stats.empty_wait_s, c.stats.dropped) for c in channels}
        return Report(
            frames=frames,
            dropped=sum(wait.dropped for wait in waits.values()),
            elapsed_s=elapsed_s,
            fps=frames / elapsed_s if elapsed_s > 0 else 0.0,
            cpu_ms_per_frame=cpu_s * 1e3 / max(frames, 1),
            peak_memory_mb=_peak_memory_mb(),
            latency=Spread.of(self.latencies_s),
            stages={name: Spread.of(values) for name, values in self.durations_s.items()},
            waits=waits,
            engine=engine,
            notes=notes,
        )


def _recent_ms(durations_s: deque[float], of: Callable[[list[float]], Any] = np.median) -> float:
    """The median, or whatever `of` is, of the last RECENT of them."""
    # Copied whole first: another thread goes on appending.
    recent = list(durations_s)[-RECENT:]
    return float(of(recent)) * 1e3 if recent else 0.0


def _peak_memory_mb() -> float:
    if sys.platform == "win32":
        return 0.0
    import resource

    # Linux hands the parent's peak on to `ru_maxrss` of every program that it starts; its VmHWM is our own.
    if (own := _high_water_mark_mb()) is not None:
        return own
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _high_water_mark_mb() -> float | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM")), None)
