"""What many frames take: processor time, machines, and streams in real time. Decoding and encoding come on top."""

from __future__ import annotations

import math
from dataclasses import dataclass

MILLION = 1_000_000
HOUR_S = 3600.0
REAL_TIME_FPS = 30.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What was measured on one. cores: of it. fps: frames a second of all its streams at the base case.

    cpu_ms: CPU time of a frame there, of one stream alone. safe_load: share of `fps` up to which latency stays good.
    """

    cores: int
    fps: float
    cpu_ms: float
    safe_load: float

    def __post_init__(self) -> None:
        if min(self.cores, self.fps, self.cpu_ms) <= 0 or not 0.0 <= self.safe_load <= 1.0:
            raise ValueError(f"got {self}; expected values above 0, and a share of 0 to 1")

    def fps_at(self, cpu_ms: float) -> float:
        """Frames a second of cases that cost `cpu_ms` a frame: the same seconds of work, in other frames."""
        return self.fps * self.cpu_ms / cpu_ms


@dataclass(frozen=True, slots=True)
class Fleet:
    """For frames of one kind. cpu_hours, machine_hours: for a million of them.

    streams: of 30 frames a second each that a machine takes with headroom.
    """

    fps: float
    cpu_hours: float
    machine_hours: float
    streams: int

    def machines_for(self, hours: float) -> int:
        """For a million frames within `hours`."""
        return needed(self.machine_hours, hours)

    def cores_for(self, hours: float, machine: Machine) -> int:
        """The same, of machines like this one."""
        return needed(self.machine_hours * machine.cores, hours)


def needed(hours_of_work: float, hours: float) -> int:
    """How many that work side by side. hours: above 0."""
    if hours <= 0.0:
        raise ValueError(f"got a deadline of {hours:g} hours, expected more than 0")
    return max(1, math.ceil(hours_of_work / hours - 1e-9))


def fleet(machine: Machine, cpu_ms: float) -> Fleet:
    """cpu_ms: of a frame."""
    fps = machine.fps_at(cpu_ms)
    return Fleet(
        fps,
        cpu_ms / 1e3 * MILLION / HOUR_S,
        MILLION / fps / HOUR_S,
        math.floor(machine.safe_load * fps / REAL_TIME_FPS + 1e-9),
    )


def gpu_hours(gpu_ms: float) -> float:
    """GPU hours of a million frames, one after the other."""
    return gpu_ms / 1e3 * MILLION / HOUR_S
