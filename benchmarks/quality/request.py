"""What is measured: which suites, how much of them, with which net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from ...engines.checkpoint import locate
from ...kernels.errors import InputError
from ..scenes import REPORTING

Suite = Literal["lens", "edges", "temporal", "depth"]
NetPrecision = Literal["f32", "int8"]
SUITES: tuple[Suite, ...] = get_args(Suite)
PRECISIONS: tuple[NetPrecision, ...] = get_args(NetPrecision)
SEED = REPORTING[0]
# The pictures with measured depth that each suite has, beside what it draws itself.
REAL_SETS: Mapping[str, str] = {
    "edges": "test_edges.csv",
    "temporal": "test_kitchen.csv",
    "depth": "test_nyu654.csv",
}
SETS_NAMED = ", ".join(REAL_SETS.values())
SMALL_REAL: tuple[Suite, ...] = ("depth",)
SMALLER = 2  # the drawn scenes of the small version

Found = dict[str, dict[str, float]]  # what was looked at → measure → figure; NaN where there is none


@dataclass(frozen=True, slots=True)
class Settings:
    """What figures depend on besides the program: only files that agree in all of it are compared.

    small: fewer and smaller scenes. seed: of the drawn scenes; the large version takes the two after it, too.
    precision: of the net, always the same, because what `auto` takes depends on the processor. Raises InputError.
    """

    small: bool = False
    seed: int = SEED
    model: str = "resnet18"
    precision: NetPrecision = "f32"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"--seed: got {self.seed}, expected 0 or more")
        if self.precision not in PRECISIONS:
            raise InputError(f"--precision: got {self.precision!r}, expected {' or '.join(PRECISIONS)}")

    @property
    def seeds(self) -> tuple[int, ...]:
        return (self.seed,) if self.small else tuple(range(self.seed, self.seed + len(REPORTING)))

    @property
    def smaller(self) -> int:
        """The drawn scenes are made so many times smaller."""
        return SMALLER if self.small else 1

    def differences(self, other: Settings) -> list[str]:
        """What differs, in words."""
        mine, theirs = asdict(self), asdict(other)
        return [f"{name} {mine[name]} against {theirs[name]}" for name in mine if mine[name] != theirs[name]]


@dataclass(frozen=True, slots=True)
class Request:
    """suites: those asked for, none = all. data: folder of the REAL_SETS. Raises InputError, CheckpointError.

    What a suite lacks is left out where the suite was not asked for by name.
    """

    settings: Settings
    suites: tuple[Suite, ...] = ()
    data: Path | None = None

    def __post_init__(self) -> None:
        unknown = [suite for suite in self.suites if suite not in SUITES]
        if unknown:
            raise InputError(f"--suite: got {unknown[0]!r}, expected {', '.join(SUITES)}")
        locate(self.settings.model)
        if self.data is not None and not self.data.is_dir():
            raise InputError(f"--data {self.data}: no such folder; expected one that holds {SETS_NAMED}")
        lacking = [suite for suite in self.suites if suite in self.left_out]
        if lacking:
            raise InputError(f"--suite {lacking[0]} needs {REAL_SETS[lacking[0]]}; give --data FOLDER that holds it")

    @property
    def wanted(self) -> tuple[Suite, ...]:
        """The suites to run, in their order."""
        return tuple(suite for suite in SUITES if not self.suites or suite in self.suites)

    @property
    def left_out(self) -> dict[Suite, str]:
        """A line for each wanted suite whose real pictures are not at hand."""
        why = f"{self.data} does not hold it" if self.data else "--data was not given"
        return {
            suite: f"{suite}: the pictures of {REAL_SETS[suite]} are left out: {why}"
            for suite in self.wanted
            if self._has_real(suite) and self.real_set(suite) is None
        }

    def real_set(self, suite: Suite) -> Path | None:
        """The set of real pictures of a suite; None where it has none or they are not at hand."""
        if self.data is None or not self._has_real(suite):
            return None
        path = self.data / REAL_SETS[suite]
        return path if path.is_file() else None

    def _has_real(self, suite: Suite) -> bool:
        return suite in (SMALL_REAL if self.settings.small else REAL_SETS)
