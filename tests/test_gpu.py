"""What is asked of NVIDIA's driver, which is played."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pullfocus.engines.gpu import Gpu, find_gpu, has_context, has_nvidia_hardware
from pullfocus.kernels.errors import EngineError


@dataclass
class FakeDriver:
    """libcuda. status: what cuInit answers. context: the one that is current in this thread, 0 = none."""

    gpus: int = 1
    status: int = 0
    version: int = 13010
    context: int = 0

    def cuInit(self, flags: int) -> int:  # noqa: N802
        assert flags == 0
        return self.status

    def cuDriverGetVersion(self, answer: Any) -> int:  # noqa: N802
        return self._answer(answer, self.version)

    def cuDeviceGetCount(self, answer: Any) -> int:  # noqa: N802
        return self._answer(answer, self.gpus)

    def cuDeviceGet(self, answer: Any, index: int) -> int:  # noqa: N802
        return self._answer(answer, index)

    def cuDeviceGetName(self, name: ctypes.Array[ctypes.c_char], length: int, device: int) -> int:  # noqa: N802
        assert (length, device) == (256, 0)
        name.value = b"NVIDIA H100"
        return 0

    def cuDeviceGetAttribute(self, answer: Any, attribute: int, device: int) -> int:  # noqa: N802
        assert device == 0
        return self._answer(answer, {75: 9, 76: 0}[attribute])

    def cuCtxGetCurrent(self, answer: Any) -> int:  # noqa: N802
        return self._answer(answer, self.context or None)

    @staticmethod
    def _answer(answer: Any, value: int | None) -> int:
        answer._obj.value = value
        return 0


def absent() -> Any:
    raise OSError("libcuda.so.1: cannot open shared object file")


def test_the_driver_tells_of_the_gpu() -> None:
    gpu = find_gpu(FakeDriver)
    assert gpu == Gpu("NVIDIA H100", (9, 0), (13, 1))
    assert gpu.sm == "9.0"


def test_the_driver_tells_whether_this_thread_has_begun_to_work() -> None:
    assert not has_context(FakeDriver)
    assert has_context(lambda: FakeDriver(context=0x5555))


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        (absent, r"no NVIDIA driver \(libcuda\) was found"),
        (lambda: FakeDriver(gpus=0), "sees no GPU"),
        (lambda: FakeDriver(status=100), "sees no GPU"),
        (lambda: FakeDriver(status=803), r"does not start \(CUDA error 803\)"),
    ],
)
def test_a_driver_that_does_not_help_is_one_line(driver: Callable[[], Any], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        find_gpu(driver)


def test_hardware_is_seen_without_a_driver(tmp_path: Path) -> None:
    for name, vendor, kind in (("sound", "0x10de", "0x040300"), ("igpu", "0x8086", "0x030000")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(vendor + "\n")
        (tmp_path / name / "class").write_text(kind + "\n")
    assert not has_nvidia_hardware(tmp_path)  # an NVIDIA sound device is none
    (tmp_path / "igpu" / "vendor").write_text("0x10de\n")
    assert has_nvidia_hardware(tmp_path)
    assert not has_nvidia_hardware(tmp_path / "absent")
