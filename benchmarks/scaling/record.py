"""What was measured, round by round, as the file holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...engines.atomic import write_text
from ...kernels.errors import InputError
from ..result_file import read_object
from .case import Case
from .floors import NetFacts
from .probe import Cost
from .rates import Rates, best
from .streams import Together

FORMAT = "pullfocus scaling 1"
AGAIN = "measure again with python -m pullfocus.benchmarks.scaling --json"
EXPECTED = f"expected a file of format {FORMAT!r}; {AGAIN}"
_NUMBERS = re.compile(r"\[\s+(-?[\d.e-]+(?:,\s+-?[\d.e-]+)*)\s+\]")


@dataclass(frozen=True, slots=True)
class CaseCosts:
    """A case's costs by stage, an entry for each round."""

    case: Case
    rounds: dict[str, list[Cost]]

    def ms(self, stage: str, clock: str = "cpu_ms") -> NDArray[np.float64]:
        """Of each round. clock: cpu_ms or wall_ms."""
        return np.array([getattr(cost, clock) for cost in self.rounds[stage]])

    def median_ms(self, stage: str, clock: str = "cpu_ms") -> float:
        return float(np.median(self.ms(stage, clock)))


@dataclass(frozen=True, slots=True)
class GpuCosts:
    """Of a GPU: its rates in each round, and for each case the milliseconds by stage of each round."""

    name: str
    rates: list[dict[str, float]]
    cases: list[tuple[Case, dict[str, list[float]]]]


@dataclass(frozen=True, slots=True)
class Record:
    """All of a run. nets: by quality. rates: of each round, by threads. others: share of the cores' time that other
    programs took, the most of any part. gpu: its costs, or why there are none.
    """

    base: Case
    engine: str
    cases: list[CaseCosts]
    nets: dict[str, NetFacts]
    rates: list[Rates]
    streams: list[Together]
    gpu: GpuCosts | str
    others: float
    environment: dict[str, str]
    command: str
    seconds: float = 0.0
    shape: dict[str, Any] = field(default_factory=dict[str, Any])

    def of(self, case: Case) -> CaseCosts:
        """Raises KeyError where it was not measured."""
        for costs in self.cases:
            if costs.case == case:
                return costs
        raise KeyError(f"{case.name} was not measured")

    def best_rates(self, threads: int) -> Rates:
        return best([rates for rates in self.rates if rates.threads == threads])

    @property
    def most_threads(self) -> int:
        return max(rates.threads for rates in self.rates)

    def together(self, share: float | None) -> dict[int, list[Together]]:
        """Streams → windows of all rounds at that share of the capacity; None: as fast as they went."""
        found = dict[int, list[Together]]()
        for window in self.streams:
            if window.share == share:
                found.setdefault(window.streams, []).append(window)
        return dict(sorted(found.items()))

    @property
    def shares(self) -> list[float]:
        return sorted({window.share for window in self.streams if window.share is not None})

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "command": self.command,
            "seconds": round(self.seconds, 1),
            "others": self.others,
            "environment": self.environment,
            "shape": self.shape,
            "engine": self.engine,
            "base": self.base.facts(),
            "nets": {quality: asdict(net) for quality, net in self.nets.items()},
            "rates": [rates.facts() for rates in self.rates],
            "cases": [{"case": each.case.facts(), "stages": _columns(each.rounds)} for each in self.cases],
            "streams": [window.facts() for window in self.streams],
            "gpu": self.gpu if isinstance(self.gpu, str) else _gpu_facts(self.gpu),
        }

    def write(self, path: Path, derived: dict[str, Any]) -> None:
        """Whole or not at all. derived: what follows from it, for those who read the file. Raises OutputError."""
        text = json.dumps(self.facts() | {"derived": _short(derived)}, indent=1)
        write_text(path, _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n")

    @classmethod
    def read(cls, path: Path) -> Record:
        """Raises InputError for whatever `write` did not write."""
        facts = read_object(path, EXPECTED)
        if facts.get("format") != FORMAT:
            raise InputError(f"{path}: no result of benchmarks.scaling; {EXPECTED}")
        try:
            return _of_facts(facts)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({type(error).__name__}: {error}); {AGAIN}") from error


def _short(value: Any) -> Any:
    """Numbers with five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _short(part) for name, part in cast(dict[str, Any], value).items()}
    return [_short(part) for part in cast(list[Any], value)] if isinstance(value, list | tuple) else value


def _of_facts(facts: dict[str, Any]) -> Record:
    gpu = facts["gpu"]
    return Record(
        base=Case(**facts["base"]),
        engine=str(facts["engine"]),
        cases=[CaseCosts(Case(**each["case"]), _rounds(each["stages"])) for each in facts["cases"]],
        nets={name: NetFacts(**(net | {"size_hw": tuple(net["size_hw"])})) for name, net in facts["nets"].items()},
        rates=[Rates(**rates) for rates in facts["rates"]],
        streams=[Together(**window) for window in facts["streams"]],
        gpu=gpu if isinstance(gpu, str) else _gpu_of(gpu),
        others=float(facts["others"]),
        environment=dict(facts["environment"]),
        command=str(facts["command"]),
        seconds=float(facts["seconds"]),
        shape=dict(facts["shape"]),
    )


def _columns(rounds: dict[str, list[Cost]]) -> dict[str, dict[str, list[float]]]:
    return {
        stage: {clock: [round(getattr(cost, clock), 3) for cost in costs] for clock in ("cpu_ms", "wall_ms")}
        for stage, costs in rounds.items()
    }


def _rounds(stages: dict[str, dict[str, Sequence[float]]]) -> dict[str, list[Cost]]:
    return {
        stage: [Cost(*both) for both in zip(columns["cpu_ms"], columns["wall_ms"], strict=True)]
        for stage, columns in stages.items()
    }


def _gpu_facts(gpu: GpuCosts) -> dict[str, Any]:
    cases = [{"case": case.facts(), "stages": stages} for case, stages in gpu.cases]
    return {"name": gpu.name, "rates": gpu.rates, "cases": cases}


def _gpu_of(facts: dict[str, Any]) -> GpuCosts:
    return GpuCosts(facts["name"], facts["rates"], [(Case(**each["case"]), each["stages"]) for each in facts["cases"]])
