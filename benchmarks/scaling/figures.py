"""What follows from a record: exponents, distances from the floors, how streams share the machine, and a fleet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...kernels.api import Quality
from .case import Case
from .fits import Affine, Power, Usl, affine, amdahl, efficiency, power, usl
from .fleet import Fleet, Machine, fleet
from .floors import Distance, distances
from .net_facts import kind_of
from .probe import FRAME, STAGES
from .record import CaseCosts, GpuCosts, Record
from .streams import Together

AXES: dict[str, Callable[[Case], float]] = {
    "size": lambda case: case.megapixels,
    "radius": lambda case: case.radius_px,
    "layers": lambda case: float(case.layers),
}
FIELDS = {"size": ("width", "height"), "radius": ("aperture",), "layers": ("layers",)}
LATER, LOST = 2.0, 0.01  # latency against that of the lightest load, and share of frames dropped, that are still good


@dataclass(frozen=True, slots=True)
class Sweep:
    """A stage's costs along one axis. x: of each case, ascending; ms: medians of rounds."""

    axis: str
    stage: str
    x: list[float]
    ms: list[float]
    power: Power | None
    affine: Affine | None


def qualities(record: Record) -> list[Quality]:
    """Those measured, fast first."""
    return [quality for quality in ("fast", "fine") if quality in record.nets]


def along(record: Record, axis: str, quality: Quality) -> list[CaseCosts]:
    """The cases that differ from the base in that only, in ascending order."""
    base, keep = replace(record.base, quality=quality), FIELDS[axis]
    same = [each for each in record.cases if replace(each.case, **{name: getattr(base, name) for name in keep}) == base]
    return sorted(same, key=lambda each: AXES[axis](each.case))


def sweep(record: Record, axis: str, stage: str, quality: Quality) -> Sweep:
    costs = along(record, axis, quality)
    x = [AXES[axis](each.case) for each in costs]
    rounds = np.stack([each.ms(stage) for each in costs], axis=1)
    medians = [float(value) for value in np.median(rounds, axis=0)]
    return Sweep(axis, stage, x, medians, power(x, rounds), affine(x, medians))


def stage_distances(record: Record, case: Case) -> list[Distance]:
    """Of one core: CPU time against what one core could do."""
    rates, costs = record.best_rates(1), record.of(case)
    gmac_s = rates.gmac_s[kind_of(record.engine)]
    measured = {stage: costs.median_ms(stage) for stage in STAGES}
    return distances(measured, case.size_hw, record.nets[case.quality], rates.copy_gb_s, gmac_s)


def gpu_ms(gpu: GpuCosts, case: Case) -> dict[str, float]:
    """Stage → median of rounds; {} where the case was not measured."""
    return next(
        ({part: float(np.median(ms)) for part, ms in found.items()} for each, found in gpu.cases if each == case), {}
    )


def gpu_distances(record: Record, case: Case) -> list[Distance]:
    """[] without a GPU. There the net's weights have two bytes."""
    if isinstance(record.gpu, str):
        return []
    copy, multiply = (max(each[name] for each in record.gpu.rates) for name in ("copy_gb_s", "fp16_gmac_s"))
    net = replace(record.nets[case.quality], weight_bytes=2)
    return distances(gpu_ms(record.gpu, case), case.size_hw, net, copy, multiply)


@dataclass(frozen=True, slots=True)
class Sharing:
    """How n of something share the machine. rates: of each count. serial, usl: None where points are too few."""

    counts: list[int]
    rates: list[float]
    efficiency: list[float]
    serial: float | None
    usl: Usl | None


def _sharing(counts: Sequence[int], rates: Sequence[float]) -> Sharing:
    return Sharing(list(counts), list(rates), efficiency(counts, rates), amdahl(counts, rates), usl(counts, rates))


def threads(record: Record, stage: str, quality: Quality) -> Sharing:
    """Frames a second of that stage alone (wall time) with n threads."""
    same = [
        each for each in record.cases if each.case == replace(record.base, quality=quality, threads=each.case.threads)
    ]
    costs = {each.case.threads: each.median_ms(stage, "wall_ms") for each in same if each.case.threads}
    counts = sorted(costs)
    return _sharing(counts, [1e3 / costs[count] for count in counts])


def streams(record: Record) -> Sharing:
    """Frames a second of n streams together."""
    found = windows(record, None)
    return _sharing([each.streams for each in found], [each.fps for each in found])


def windows(record: Record, share: float | None) -> list[Together]:
    """Medians of all rounds for each count of streams, the fewest first; share: as of `Together`."""
    return [_medians(some) for some in record.together(share).values()]


def loads(record: Record) -> list[Together]:
    """At each share, the lightest first; rounds may differ in how many streams did most, all of them count."""
    return [_medians([each for each in record.streams if each.share == share]) for share in record.shares]


def _medians(some: Sequence[Together]) -> Together:
    """Of windows at one share."""
    names = ("fps", "p50_ms", "p95_ms", "dropped", "cpu_ms")
    found = {name: float(np.median([getattr(window, name) for window in some])) for name in names}
    return Together(max(window.streams for window in some), some[0].share, **found)


def safe_load(found: Sequence[Together]) -> float:
    """The largest share up to which latency stays below twice that of the lightest load, and 99 % of frames come.

    0 where not even the lightest does.
    """
    best = 0.0
    for each in found:
        if each.p95_ms > LATER * found[0].p95_ms or each.dropped > LOST or each.share is None:
            break
        best = each.share
    return best


def machine(record: Record) -> Machine:
    """What a fleet's machine is: this one, at its best number of streams."""
    found = windows(record, None)
    fullest = max(found, key=lambda each: each.fps)
    return Machine(int(record.environment["cores"]), fullest.fps, fullest.cpu_ms, safe_load(loads(record)))


def fleets(record: Record, quality: Quality) -> dict[str, tuple[float, Fleet]]:
    """Size → CPU time of a frame in ms, and what a million such frames take."""
    ours, base = machine(record), record.of(replace(record.base)).median_ms(FRAME)
    found = dict[str, tuple[float, Fleet]]()
    for each in along(record, "size", quality):
        # Of one stream alone; side by side a frame costs what the base case does there.
        cpu_ms = each.median_ms(FRAME) * ours.cpu_ms / base
        found[each.case.size] = cpu_ms, fleet(ours, cpu_ms)
    return found
