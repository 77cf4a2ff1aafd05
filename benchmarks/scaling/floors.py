"""The least that each stage must do, and how long the machine takes for that at its own best rates.

A floor is no goal that can be reached: it holds no arithmetic but the net's, and takes every byte to be moved once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...stream.layers import BATCH, WARM_UPDATES
from .probe import FRAME, NET, REST, STAGES

CACHE_LINE = 64  # bytes that come with any of them
SMALL_PARTS = 3  # of what is believed on the small pictures' grid: weight, drift, stirred
F32 = 4


@dataclass(frozen=True, slots=True)
class NetFacts:
    """numbers: weights and statistics. weight_bytes: of each, as it is computed with. macs: multiply-adds a pass."""

    size_hw: tuple[int, int]
    macs: int
    numbers: int
    weight_bytes: int

    @property
    def pixels(self) -> int:
        return self.size_hw[0] * self.size_hw[1]


@dataclass(frozen=True, slots=True)
class Work:
    """bytes: read and written, each once. macs: multiply-adds."""

    bytes: int
    macs: int = 0


@dataclass(frozen=True, slots=True)
class Floor:
    """ms: the longer of both. bound: which one that is."""

    ms: float
    bound: str


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a stage is from its floor. above_ms: what is left to win; ratio: measured / floor."""

    stage: str
    measured_ms: float
    floor: Floor

    @property
    def ratio(self) -> float:
        return self.measured_ms / self.floor.ms

    @property
    def above_ms(self) -> float:
        return self.measured_ms - self.floor.ms


def least_work(size_hw: tuple[int, int], net: NetFacts) -> dict[str, Work]:
    """Stage → what it cannot do without. The picture is `h w 3` uint8, inverse depth `h w` float32.

    frame: as if all stages were one, which reads the picture and writes the result; what lies between stays in a cache.
    """
    pixels = size_hw[0] * size_hw[1]
    picture, depth, small = 3 * pixels, F32 * pixels, F32 * net.pixels
    weights, grid = net.numbers * net.weight_bytes, (net.size_hw[0] // 2) * (net.size_hw[1] // 2)
    belief = small + SMALL_PARTS * F32 * grid
    return {
        NET: Work(picture + weights + small, net.macs),
        "temporal": Work(small + 2 * belief + 3 * 3 * grid),  # new depth; two small pictures read, one written
        "edges": Work(picture + small + depth),
        REST: Work(2 * depth + 2 * small),  # on the grid of a 16-bit file
        "layers": Work(BATCH * WARM_UPDATES * CACHE_LINE),
        "refocus": Work(picture + depth + picture),
        FRAME: Work(picture + weights + picture, net.macs),
    }


def floor(work: Work, copy_gb_s: float, gmac_s: float) -> Floor:
    """Milliseconds at these rates; bytes move while the processor multiplies."""
    moved_ms, multiplied_ms = work.bytes / (copy_gb_s * 1e6), work.macs / (gmac_s * 1e6)
    return Floor(multiplied_ms, "multiply") if multiplied_ms > moved_ms else Floor(moved_ms, "memory")


def distances(
    measured_ms: dict[str, float], size_hw: tuple[int, int], net: NetFacts, copy_gb_s: float, gmac_s: float
) -> list[Distance]:
    """Of every stage that was measured, in a frame's order."""
    work = least_work(size_hw, net)
    return [
        Distance(stage, measured_ms[stage], floor(work[stage], copy_gb_s, gmac_s))
        for stage in STAGES
        if stage in measured_ms
    ]


def furthest(found: list[Distance]) -> Distance:
    """The stage with most to win in milliseconds, the whole frame aside.

    By ratio the cheapest would be first: the layers must read next to nothing.
    """
    return max((each for each in found if each.stage != FRAME), key=lambda each: each.above_ms)
