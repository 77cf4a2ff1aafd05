"""`--sink virtual`, with a module in place of pyvirtualcam that records what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pullfocus.kernels.errors import OutputError
from pullfocus.stream.frame import FocusPlan, Frame, Layered, Rendered, Sensed
from pullfocus.stream.virtual_camera import VirtualCamera

from .command import assert_one_line, run


@dataclass
class Device:
    size_hw: tuple[int, int]
    rate: float
    device: str
    sent: list[np.ndarray] = field(default_factory=list[np.ndarray])
    closed: bool = False

    def send(self, frame: np.ndarray) -> None:
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        assert frame.shape == (*self.size_hw, 3)
        self.sent.append(frame)

    def close(self) -> None:
        self.closed = True


class Recorder:
    """As pyvirtualcam; with `missing` it has no device."""

    def __init__(self, missing: str = "") -> None:
        self.opened: list[Device] = []
        self._missing = missing

    def Camera(self, width: int, height: int, fps: float, *, device: str | None) -> Device:  # noqa: N802
        if self._missing:
            raise RuntimeError(self._missing)
        self.opened.append(Device((height, width), fps, device or "/dev/video7"))
        return self.opened[-1]


def shown(
    cameras: Recorder, sizes_hw: Sequence[tuple[int, int]], device: str | None = None, rate: float | None = None
) -> Device:
    with VirtualCamera(cameras, device, rate) as camera:
        for index, size_hw in enumerate(sizes_hw):
            frame = Frame(np.full((*size_hw, 3), 100 + index, np.uint8), index, 40 * index, Fraction(1, 1000), 40)
            sensed = Sensed(frame, np.zeros(size_hw, np.float32))
            assert camera.write(Rendered(Layered(sensed, np.zeros(2), FocusPlan(0.0, 0.0, 0.0)), frame.picture8))
    return cameras.opened[0]


def test_frames_arrive_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    device = shown(Recorder(), [(48, 64)] * 3, "/dev/video10")
    assert [int(picture.mean()) for picture in device.sent] == [100, 101, 102]
    assert (device.device, device.rate, device.closed) == ("/dev/video10", 25.0, True)
    assert capsys.readouterr().err == "pullfocus: the virtual camera is /dev/video10, 64×48\n"


def test_the_size_is_that_of_the_first_picture_and_even() -> None:
    cameras = Recorder()
    device = shown(cameras, [(49, 65), (48, 128), (96, 128)], rate=30.0)
    assert len(cameras.opened) == 1
    assert (device.size_hw, device.rate) == ((48, 64), 30.0)
    _, wide, same = device.sent
    assert (wide[12:36] == 101).all()  # twice as wide: half as high
    assert (wide[:12] == 0).all()
    assert (wide[36:] == 0).all()
    assert (same == 102).all()


def test_a_missing_device_says_what_to_do() -> None:
    with pytest.raises(OutputError) as caught:
        shown(Recorder("'v4l2loopback' backend: Device /dev/video10 does not exist.\nmore"), [(48, 64)], "/dev/video10")
    said = str(caught.value)
    assert said.startswith(
        "--sink virtual:/dev/video10: no virtual camera ('v4l2loopback' backend: Device /dev/video10 "
    )
    assert "more" not in said


@pytest.mark.skipif(Path("/sys/module/v4l2loopback").exists(), reason="this machine has a virtual camera")
def test_without_a_device_or_the_package_the_command_says_so() -> None:
    result = run(
        "live", "--engine", "plane", "--source", "synthetic", "--frames", "3", "--sink", "virtual:/dev/video99"
    )
    if find_spec("pyvirtualcam") is None:
        assert_one_line(result, "pip install 'pullfocus[virtual]'")
    else:
        assert_one_line(result, "--sink virtual:/dev/video99: no virtual camera", "/dev/video99 does not exist")
