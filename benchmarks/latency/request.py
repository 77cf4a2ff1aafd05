"""What `pullfocus bench` was asked for: one row of settings, or all combinations of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any, get_args

from ...engines.build import DeviceChoice, EngineChoice, EngineRequest
from ...kernels.api import KernelShape, Quality
from ...kernels.errors import InputError
from ...stream.config import DEFAULT_APERTURE, Settings, Smoothing
from ...stream.depth_range import RangeMode
from ...stream.live_request import LiveRequest
from ...stream.options import parse_size, settings_from

WARM_UP = 20
NOT_COMPARED = ("frames", "warm_up")  # how long a row is measured is no part of what it is


@dataclass(frozen=True, slots=True)
class RowRequest:
    """One row, in the words of the command line. Raises InputError for what cannot be.

    size: `WxH`; None: the file's own, 1280x720 of synthetic pictures. frames: how many are measured, after `warm_up`
    others that are left out.
    """

    source: str = "synthetic"
    size: str | None = None
    engine: EngineChoice = "auto"
    model: str = "resnet18"
    quality: Quality = "fast"
    layers: int = 6
    aperture: float = DEFAULT_APERTURE
    device: DeviceChoice = "auto"
    kernel: KernelShape = "disc"
    smooth: Smoothing = "none"
    net_every: int = 1
    steady: bool = True
    depth_range: RangeMode = "fixed"
    focus: str | None = None
    focus_script: str | None = None
    face_model: str | None = None
    frames: int = 200
    warm_up: int = WARM_UP

    def __post_init__(self) -> None:
        if self.engine not in get_args(EngineChoice):
            raise InputError(f"--engine: got {self.engine!r}, expected {', '.join(get_args(EngineChoice))}")
        if self.frames < 1 or self.warm_up < 0:
            raise InputError(
                f"--frames {self.frames}, --warm-up {self.warm_up}: expected at least 1 frame after 0 or more others"
            )
        if self.depth_range == "shot":
            raise InputError("--depth-range shot looks through a film first, which bench does not: use fixed or auto")
        self.settings()
        self.live_request()

    def settings(self) -> Settings:
        """Raises InputError."""
        return settings_from(
            focus=self.focus,
            focus_script=_path(self.focus_script),
            face_model=_path(self.face_model),
            aperture=self.aperture,
            kernel=self.kernel,
            layers=self.layers,
            smooth=self.smooth,
            net_every=self.net_every,
            steady=self.steady,
            depth_range=self.depth_range,
            engine=EngineRequest(self.engine, self.device, self.model, self.quality),
        )

    def live_request(self) -> LiveRequest:
        """Raises InputError."""
        return LiveRequest(self.source, ("null",), parse_size(self.size), frames=self.warm_up + self.frames)

    def facts(self) -> dict[str, Any]:
        """As JSON holds it, and a row's process gets it."""
        return asdict(self)

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> RowRequest:
        """Raises InputError, TypeError."""
        return cls(**facts)


@dataclass(frozen=True, slots=True)
class Lists:
    """The options of which several values may be given; an empty one stands for the row's own."""

    size: Sequence[str] = ()
    engine: Sequence[str] = ()
    model: Sequence[str] = ()
    quality: Sequence[str] = ()
    layers: Sequence[int] = ()
    aperture: Sequence[float] = ()

    def rows(self, alike: RowRequest) -> list[RowRequest]:
        """Every combination, with all else as in `alike`. Raises InputError for values that cannot be or come twice."""
        names = [field.name for field in fields(self)]
        values = [_once(name, getattr(self, name)) or [getattr(alike, name)] for name in names]
        return [
            RowRequest.of_facts(alike.facts() | dict(zip(names, combination, strict=True)))
            for combination in product(*values)
        ]


def _once(name: str, values: Sequence[Any]) -> Sequence[Any]:
    for value in values:
        if values.count(value) > 1:
            raise InputError(f"--{name} {value} was given more than once; each value makes rows of its own")
    return values


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def compared(settings: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """What two rows must have in common to be compared."""
    return tuple(sorted((name, value) for name, value in settings.items() if name not in NOT_COMPARED))


def differing(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The settings that these rows do not all have in common; their size where there are none."""
    return [key for key in rows[0] if len({str(row.get(key)) for row in rows}) > 1] or ["size"] if rows else []


def names_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A short name for each of several rows' settings: what is not the same in all of them."""
    return [", ".join(_named(key, row.get(key)) for key in differing(rows)) for row in rows]


def said(key: str, value: Any) -> str:
    """A setting's value in as few letters as it takes."""
    if isinstance(value, float):
        return f"{value:g}"
    return Path(str(value)).name if key in ("source", "model", "focus_script", "face_model") else str(value)


def _named(key: str, value: Any) -> str:
    alone = ("size", "engine", "quality", "source", "model", "device", "kernel")
    return said(key, value) if key in alone else f"{key.replace('_', ' ')} {said(key, value)}"
