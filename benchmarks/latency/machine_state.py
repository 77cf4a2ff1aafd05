"""How busy the machine is, and what there is of it that decides how fast frames go."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time

from ...engines.environment import environment
from ...engines.finding import RTX_PACKAGES, TENSORRT_PACKAGES, version_of
from ...engines.gpu import find_gpu
from ...kernels.errors import EngineError

RUNTIMES = {
    "openvino": ("openvino",),
    "opencv": ("opencv-python", "opencv-python-headless"),
    "torch": ("torch",),
    "cupy": ("cupy-cuda13x", "cupy-cuda12x", "cupy"),
    "tensorrt": TENSORRT_PACKAGES,
    "tensorrt-rtx": RTX_PACKAGES,
    "onnxruntime": ("onnxruntime",),
}
BUSY = 0.1  # of the cores' time that others take, above which figures are not to be trusted
PARTS = ("cpu", "cpu_model", "cores", "gpu", "driver")  # other ones make other figures


@dataclass(frozen=True, slots=True)
class Conditions:
    """How busy the machine was. load_*: the system's mean over a minute, None where it has none.

    others: share of all cores' time that other processes, or other guests of the host, took while frames were
    measured; None where the system does not tell.
    """

    load_before: float | None = None
    load_after: float | None = None
    others: float | None = None

    @property
    def was_busy(self) -> bool:
        return self.others is not None and self.others > BUSY


def surroundings() -> dict[str, str]:
    """Processor, cores, GPU, driver, commit, system, and the versions of what computes."""
    versions = {name: version_of(*packages) or "none" for name, packages in RUNTIMES.items()}
    return {**environment(), **_gpu(), "governor": _governor(), **versions}


def _gpu() -> dict[str, str]:
    try:
        gpu = find_gpu()
    except EngineError:
        return {"gpu": "none", "driver": "none"}
    cuda = f"CUDA {gpu.cuda[0]}.{gpu.cuda[1]}"
    found = re.search(r"\b\d{3}\.\d+(?:\.\d+)?\b", _read("/proc/driver/nvidia/version") or _asked_driver())
    return {"gpu": f"{gpu.name} ({gpu.sm})", "driver": f"{found[0]}, {cuda}" if found else cuda}


def _asked_driver() -> str:
    """The driver's version where the kernel does not show it, as in containers."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    question = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(question, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _governor() -> str:
    """Linux's rule for the clock of the first core."""
    return _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or "unknown"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The machine at one moment. busy_s: of all cores since the system began, other guests' included."""

    load: float | None
    busy_s: float | None
    own_s: float
    clock_s: float

    @classmethod
    def now(cls) -> Reading:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        return cls(load, busy_seconds(_read("/proc/stat")), process_time(), monotonic())

    def until(self, later: Reading) -> Conditions:
        """What happened in between, besides this process."""
        others, passed_s = None, later.clock_s - self.clock_s
        if self.busy_s is not None and later.busy_s is not None and passed_s > 0.0:
            own_s = later.own_s - self.own_s
            share = (later.busy_s - self.busy_s - own_s) / passed_s / (os.cpu_count() or 1)
            others = round(min(max(share, 0.0), 1.0), 3)
        return Conditions(_rounded(self.load), _rounded(later.load), others)


def busy_seconds(stat: str) -> float | None:
    """Seconds that all cores of Linux's /proc/stat were not idle, taken away by the host included; None for others'."""
    first = stat.partition("\n")[0].split()
    if len(first) < 9 or first[0] != "cpu":
        return None
    user, nice, system, _idle, _waiting, interrupt, soft, stolen = map(int, first[1:9])
    return (user + nice + system + interrupt + soft + stolen) / os.sysconf("SC_CLK_TCK")


def _rounded(load: float | None) -> float | None:
    return None if load is None else round(load, 2)
