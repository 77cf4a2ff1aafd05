"""A case at one size: one benchmark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ...kernels.api import Device, Quality
from ...kernels.errors import InputError
from .engine_cases import CASES as ENGINES
from .engine_cases import QUALITIES, EngineCase
from .kernel_cases import CASES as KERNELS
from .kernel_cases import KernelCase

SizeHW = tuple[int, int]
SIZES: dict[Device, tuple[SizeHW, ...]] = {
    "cpu": ((480, 640), (720, 1280)),
    "cuda": ((480, 640), (720, 1280), (1080, 1920)),
}


@dataclass(frozen=True, slots=True)
class KernelJob:
    """A kernel's case at one size on one device. group: what stands side by side in a table."""

    case: KernelCase
    size_hw: SizeHW
    device: Device

    @property
    def id(self) -> str:
        return _id(self.case.label, self.device, self.size_hw)

    @property
    def group(self) -> str:
        return f"{self.case.kernel}, {size_name(self.size_hw)}"

    @property
    def name(self) -> str:
        """Within its group."""
        return f"{self.device} {self.case.variant}".strip()


@dataclass(frozen=True, slots=True)
class EngineJob:
    """An engine's case at one size and quality."""

    case: EngineCase
    size_hw: SizeHW
    quality: Quality

    @property
    def id(self) -> str:
        return _id(f"{self.case.label} {self.quality}", self.case.device, self.size_hw)

    @property
    def group(self) -> str:
        kind = "net" if self.case.name != "plane" else "plane"  # so cheap that beside it all nets look alike
        return f"{kind}, {self.quality}, {size_name(self.size_hw)}"

    @property
    def name(self) -> str:
        """Within its group."""
        return f"{self.case.label}, {self.case.device}"


def kernel_jobs(sizes: Sequence[SizeHW] = ()) -> Iterator[KernelJob]:
    """Every kernel. sizes: none = those of each device."""
    for case in KERNELS:
        for device in case.devices:
            for size_hw in sizes or SIZES[device]:
                yield KernelJob(case, size_hw, device)


def engine_jobs(sizes: Sequence[SizeHW] = ()) -> Iterator[EngineJob]:
    """Every engine. sizes: none = those of each device."""
    for case in ENGINES:
        for quality, size_hw in product(QUALITIES, sizes or SIZES[case.device]):
            yield EngineJob(case, size_hw, quality)


def size_name(size_hw: SizeHW) -> str:
    """Width × height, as in `--size`.

    >>> size_name((720, 1280))
    '1280x720'
    """
    return f"{size_hw[1]}x{size_hw[0]}"


def size_of(text: str) -> SizeHW:
    """What `size_name` was given. Raises InputError."""
    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if found is None:
        raise InputError(f"--picture-size {text}: expected WIDTHxHEIGHT in pixels, such as 1280x720")
    return int(found[2]), int(found[1])


def _id(label: str, device: Device, size_hw: SizeHW) -> str:
    """For pytest's command line: words joined by "-"."""
    return "-".join((*re.findall(r"\w+", label), device, size_name(size_hw)))
