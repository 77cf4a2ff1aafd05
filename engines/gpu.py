"""The NVIDIA GPU as its driver tells of it: neither torch nor a CUDA toolkit is asked."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..kernels.errors import EngineError

NVIDIA, DISPLAY_CLASS = "0x10de", "0x03"  # as Linux lists devices on the PCI bus
MAJOR, MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_…
NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
NAME_BYTES = 256

OpenLibrary: TypeAlias = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU. capability: compute capability; cuda: the newest CUDA that the driver runs."""

    name: str
    capability: tuple[int, int]
    cuda: tuple[int, int]

    @property
    def sm(self) -> str:
        """The compute capability as NVIDIA writes it: "8.9"."""
        return f"{self.capability[0]}.{self.capability[1]}"


def open_driver() -> Any:
    """The driver's library. Raises OSError where there is none."""
    if sys.platform == "win32":
        return ctypes.WinDLL("nvcuda.dll")
    return ctypes.CDLL("libcuda.so.1")


def find_gpu(driver: OpenLibrary = open_driver) -> Gpu:
    """The GPU that CUDA programs get. Raises EngineError that says what is missing."""
    try:
        cuda = driver()
    except OSError as error:
        raise EngineError("no NVIDIA driver (libcuda) was found") from error
    version = _number(cuda.cuDriverGetVersion)
    _check(cuda.cuInit(0), "does not start")
    if _number(cuda.cuDeviceGetCount) == 0:
        raise EngineError("the NVIDIA driver sees no GPU (CUDA_VISIBLE_DEVICES may hide it)")
    device = _number(cuda.cuDeviceGet, 0)
    name = ctypes.create_string_buffer(NAME_BYTES)
    _check(cuda.cuDeviceGetName(name, NAME_BYTES, device), "does not name its GPU")
    capability = tuple(_number(cuda.cuDeviceGetAttribute, part, device) for part in (MAJOR, MINOR))
    return Gpu(
        name.value.decode(errors="replace"), (capability[0], capability[1]), (version // 1000, version % 100 // 10)
    )


def has_context(driver: OpenLibrary = open_driver) -> bool:
    """Has a CUDA library begun to work in this thread? Only after `find_gpu`, which starts the driver."""
    context = ctypes.c_void_p()
    return driver().cuCtxGetCurrent(ctypes.byref(context)) == 0 and context.value is not None


def has_nvidia_hardware(devices: Path = Path("/sys/bus/pci/devices")) -> bool:
    """Is an NVIDIA GPU on the bus, whether or not a driver runs it? False where that is not known."""
    return any(_is_nvidia_gpu(device) for device in devices.glob("*")) if devices.is_dir() else False


def _is_nvidia_gpu(device: Path) -> bool:
    try:
        vendor, kind = ((device / fact).read_text(encoding="ascii").strip() for fact in ("vendor", "class"))
    except (OSError, UnicodeDecodeError):
        return False
    return vendor == NVIDIA and kind.startswith(DISPLAY_CLASS)


def _number(ask: Any, *about: int) -> int:
    answer = ctypes.c_int(0)
    _check(ask(ctypes.byref(answer), *about), "does not answer")
    return answer.value


def _check(status: int, what: str) -> None:
    if status == NO_DEVICE:
        raise EngineError("the NVIDIA driver sees no GPU (CUDA_VISIBLE_DEVICES may hide it)")
    if status != 0:
        raise EngineError(f"the NVIDIA driver {what} (CUDA error {status}); reboot, or install the driver again")
