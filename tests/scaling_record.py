"""A record of `benchmarks.scaling` as if it had been measured: costs follow laws that are known."""

from __future__ import annotations

import numpy as np
from pullfocus.benchmarks.scaling.case import Case, Plan
from pullfocus.benchmarks.scaling.floors import NetFacts
from pullfocus.benchmarks.scaling.probe import FRAME, STAGES, Cost
from pullfocus.benchmarks.scaling.rates import Rates
from pullfocus.benchmarks.scaling.record import CaseCosts, GpuCosts, Record
from pullfocus.benchmarks.scaling.streams import Together

PLAN = Plan(threads=(1, 2), streams=(1, 2, 3, 4), rounds=5)
REFOCUS_SIZE, REFOCUS_RADIUS, REFOCUS_LAYERS = 0.8, 0.25, 0.5
EDGES_FIXED_MS, EDGES_PER_MPX_MS = 2.0, 20.0


def costs_ms(case: Case) -> dict[str, float]:
    """Without noise."""
    size = case.megapixels**REFOCUS_SIZE
    refocus = 30.0 * size * (case.aperture / 7.0) ** REFOCUS_RADIUS * (case.layers / 6.0) ** REFOCUS_LAYERS
    edges = EDGES_FIXED_MS + EDGES_PER_MPX_MS * case.megapixels
    found = dict(zip(STAGES, (15.0, 3.0, edges, 2.0, 1.0, refocus, 0.0), strict=True))
    return {**found, FRAME: sum(found.values())}


def record(noise: float = 0.0, gpu: bool = False) -> Record:
    """noise: standard deviation of the logarithm of what a round does to each cost."""
    random = np.random.default_rng(3)
    cases = list(dict.fromkeys([*PLAN.cases(), *(case for n in PLAN.threads for case in PLAN.threaded(n))]))
    return Record(
        base=PLAN.base,
        engine="OpenVINO 2026.4.1, int8, CPU",
        cases=[CaseCosts(case, _rounds(case, noise, random)) for case in cases],
        nets={
            quality: NetFacts(size_hw, macs, 12_000_000, 1)
            for quality, size_hw, macs in (("fast", (192, 352), 4_000_000_000), ("fine", (256, 448), 7_000_000_000))
        },
        rates=[
            Rates(n, 8.0 * n, 20.0 * n, {"f32": 30.0 * n, "bf16": 60.0 * n, "int8": 200.0 * n}, 64, 32) for n in (1, 2)
        ],
        streams=[
            *(Together(n, None, min(2, n) * 12.5, 80.0 * n, 90.0 * n, 0.0, 80.0) for n in PLAN.streams),
            *(Together(2, share, 25.0 * share, 60.0, 70.0 / (1.25 - share), 0.0, 80.0) for share in PLAN.loads),
        ],
        gpu=_gpu() if gpu else "no NVIDIA driver (libcuda) was found",
        others=0.02,
        environment={"cpu": "Z80", "cores": "2", "commit": "0123456"},
        command="python -m pullfocus.benchmarks.scaling",
        shape={"rounds": PLAN.rounds, "frames": PLAN.frames},
    )


def _rounds(case: Case, noise: float, random: np.random.Generator) -> dict[str, list[Cost]]:
    speed_up = 1.6 if case.threads == 2 else 1.0
    return {
        stage: [
            Cost(value := ms * float(np.exp(random.normal(0.0, noise))), value / speed_up) for _ in range(PLAN.rounds)
        ]
        for stage, ms in costs_ms(case).items()
    }


def _gpu() -> GpuCosts:
    stages = {"upload": [0.3] * 2, "net": [1.0] * 2, "temporal": [0.4] * 2, "edges": [0.2] * 2, "refocus": [0.5] * 2}
    stages |= {"download": [0.3] * 2, FRAME: [2.7] * 2}
    rates = [{"copy_gb_s": 2500.0, "fp16_gmac_s": 300_000.0}] * 2
    return GpuCosts("NVIDIA Test", rates, [(case, stages) for case in PLAN.cases()])
