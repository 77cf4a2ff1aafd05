"""One measured row: what it was, every frame's figures in whole microseconds, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stream.bench_job import BenchRun
from .machine_state import Conditions
from .statistics import Spread, Steadiness, iqr_ms, jitter_ms, steadiness

LARGEST_SHARE_LEFT_OUT = 4  # a short film gives at most a quarter of its frames to the warm-up


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Row:
    """All series are int64 and in µs, of the measured frames only.

    latency_us: capture to hand-over. interval_us: between hand-overs. cpu_us: CPU time of all threads in that
    interval. stages_us: wall time of each step. gpu_us: of the net's work on the GPU; None without one.
    runs: how many frames each run of `--repeat` has, in the series' order. left_out: frames before the measured ones
    of each. measuring: what recording costs, as a share of an interval.
    """

    settings: dict[str, Any]
    engine: str
    left_out: int
    latency_us: NDArray[np.int64]
    interval_us: NDArray[np.int64]
    cpu_us: NDArray[np.int64]
    stages_us: dict[str, NDArray[np.int64]]
    gpu_us: NDArray[np.int64] | None
    peak_memory_mb: float
    measuring: float
    conditions: Conditions
    notes: list[str] = field(default_factory=list[str])
    runs: tuple[int, ...] = ()

    def of_runs(self, series_us: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """A series of the row, a frame an entry, cut into its runs."""
        return np.split(series_us, np.cumsum(self.runs)[:-1])

    @property
    def frames(self) -> int:
        return len(self.latency_us)

    @property
    def fps(self) -> float:
        total_us = int(self.interval_us.sum())
        return len(self.interval_us) / total_us * 1e6 if total_us else 0.0

    @property
    def cpu_ms_per_frame(self) -> float:
        return float(self.cpu_us.mean()) / 1e3 if len(self.cpu_us) else 0.0

    @property
    def latency(self) -> Spread:
        return Spread.of(self.latency_us)

    @property
    def stages(self) -> dict[str, Spread]:
        return {name: Spread.of(series) for name, series in self.stages_us.items()}

    @property
    def gpu(self) -> Spread | None:
        return None if self.gpu_us is None else Spread.of(self.gpu_us)

    @property
    def bottleneck(self) -> str:
        """The stage with the largest median."""
        stages = self.stages
        return max(stages, key=lambda name: stages[name].p50_ms, default="")

    @property
    def steadiness(self) -> Steadiness:
        """Of the run that took longest to get there, or drifts most."""
        return max(map(steadiness, self.of_runs(self.latency_us)), key=lambda one: one.lateness)

    def facts(self) -> dict[str, Any]:
        """As JSON; `of_facts` reads it again."""
        series = {"latency": self.latency_us, "interval": self.interval_us, "cpu": self.cpu_us}
        return {
            "settings": self.settings,
            "engine": self.engine,
            "frames": self.frames,
            "runs": self.runs,
            "left_out": self.left_out,
            "fps": round(self.fps, 3),
            "latency": asdict(self.latency),
            "jitter_ms": jitter_ms(self.interval_us),
            "iqr_ms": iqr_ms(self.latency_us),
            "stages": {name: asdict(spread) for name, spread in self.stages.items()},
            "bottleneck": self.bottleneck,
            "cpu_ms_per_frame": round(self.cpu_ms_per_frame, 3),
            "gpu": None if self.gpu is None else asdict(self.gpu),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
            "steadiness": asdict(self.steadiness),
            "measuring": round(self.measuring, 6),
            "conditions": asdict(self.conditions),
            "notes": self.notes,
            "series_us": {name: values.tolist() for name, values in series.items()}
            | {"gpu": None if self.gpu_us is None else self.gpu_us.tolist()}
            | {"stages": {name: values.tolist() for name, values in self.stages_us.items()}},
        }

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> Row:
        """Raises KeyError, TypeError, ValueError for what `facts` did not write."""
        series = facts["series_us"]
        row = cls(
            settings=dict(facts["settings"]),
            engine=str(facts["engine"]),
            left_out=int(facts["left_out"]),
            latency_us=_whole(series["latency"]),
            interval_us=_whole(series["interval"]),
            cpu_us=_whole(series["cpu"]),
            stages_us={str(name): _whole(values) for name, values in series["stages"].items()},
            gpu_us=None if series["gpu"] is None else _whole(series["gpu"]),
            peak_memory_mb=float(facts["peak_memory_mb"]),
            measuring=float(facts["measuring"]),
            conditions=Conditions(**facts["conditions"]),
            notes=[str(note) for note in facts["notes"]],
            runs=tuple(int(count) for count in facts["runs"]),
        )
        lengths = {len(row.latency_us), sum(row.runs), *map(len, row.stages_us.values())}
        if min(row.runs, default=0) < 1 or len(lengths) > 1:
            raise ValueError("series of no frames, or of different lengths")
        return row

    @classmethod
    def joined(cls, rows: Sequence[Row]) -> Row:
        """One row of several with the same settings; what it took is the most that one of them did."""
        first, last = rows[0], rows[-1]
        others = [row.conditions.others for row in rows if row.conditions.others is not None]
        gpu_us = [row.gpu_us for row in rows if row.gpu_us is not None]
        return replace(
            first,
            latency_us=np.concatenate([row.latency_us for row in rows]),
            interval_us=np.concatenate([row.interval_us for row in rows]),
            cpu_us=np.concatenate([row.cpu_us for row in rows]),
            stages_us={name: np.concatenate([row.stages_us[name] for row in rows]) for name in first.stages_us},
            gpu_us=np.concatenate(gpu_us) if gpu_us else None,
            peak_memory_mb=max(row.peak_memory_mb for row in rows),
            measuring=max(row.measuring for row in rows),
            conditions=Conditions(first.conditions.load_before, last.conditions.load_after, max(others, default=None)),
            notes=list(dict.fromkeys(note for row in rows for note in row.notes)),
            runs=tuple(count for row in rows for count in row.runs),
        )


def _whole(values: Any) -> NDArray[np.int64]:
    """Raises ValueError for what is no list of whole numbers of 0 or more."""
    series = np.asarray(values)
    if series.ndim != 1 or (len(series) and (series.dtype.kind != "i" or series.min() < 0)):
        raise ValueError("a series is no list of whole microseconds")
    return series.astype(np.int64)


def row_of(run: BenchRun, settings: dict[str, Any], warm_up: int, conditions: Conditions) -> Row:
    """What is left of a run when the frames of the warm-up are taken away. Raises ValueError for a run of no frames."""
    series, total = run.series, len(run.series.latency_s)
    if not total:
        raise ValueError("a run of no frames")
    out = min(warm_up, total // LARGEST_SHARE_LEFT_OUT) if total < 2 * warm_up else warm_up
    intervals_us = _between(series.handed_s, out)
    height, width = run.size_hw
    asked = None if series.gpu_s is None else series.gpu_s[out // int(settings["net_every"]) :]
    return Row(
        settings={**settings, "size": f"{width}x{height}"},
        engine=run.report.engine,
        left_out=out,
        latency_us=_us(series.latency_s[out:]),
        interval_us=intervals_us,
        cpu_us=_between(series.cpu_s, out),
        stages_us={name: _us(values[out:]) for name, values in series.stages_s.items()},
        gpu_us=None if asked is None else _us(asked),
        peak_memory_mb=run.report.peak_memory_mb,
        measuring=run.measuring_s * 1e6 / float(np.median(intervals_us)) if intervals_us.sum() else 0.0,
        conditions=conditions,
        notes=list(run.report.notes),
        runs=(total - out,),
    )


def _between(clock_s: NDArray[np.float64], out: int) -> NDArray[np.int64]:
    """What passed from the frame before to each measured one; the very first frame of a run has none before it."""
    return _us(np.diff(clock_s)[max(out - 1, 0) :])


def _us(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(seconds * 1e6).astype(np.int64)
