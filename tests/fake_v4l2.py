"""Devices as the kernel shows them, without a kernel."""

from __future__ import annotations

from contextlib import AbstractContextManager
from ctypes import Structure
from dataclasses import dataclass, field
from errno import EINVAL, ENOTTY

from pullfocus.stream import v4l2

Intervals = list[tuple[int, int]]  # seconds, as numerator and denominator


def code_of(letters: str) -> int:
    return int.from_bytes(letters.encode(), "little")


@dataclass
class FakeDevice(AbstractContextManager["FakeDevice"]):
    """formats: four letters → (width, height) → frame intervals; a size of six numbers is a range."""

    name: str
    bus: str = "usb-0000:00:14.0-1"
    formats: dict[str, dict[tuple[int, ...], Intervals]] = field(default_factory=dict)
    all_caps: int = v4l2.VIDEO_CAPTURE | v4l2.DEVICE_CAPS | 0x00800000
    own_caps: int = v4l2.VIDEO_CAPTURE
    closed: bool = False

    def __exit__(self, *error: object) -> None:
        self.closed = True

    def ioctl(self, code: int, question: Structure, /) -> None:
        if isinstance(question, v4l2.Capability) and code == v4l2.QUERYCAP:
            question.card, question.bus_info = self.name.encode(), self.bus.encode()
            question.capabilities, question.device_caps = self.all_caps, self.own_caps
        elif isinstance(question, v4l2.FormatDescription) and code == v4l2.ENUM_FMT:
            assert question.type == v4l2.CAPTURE_BUFFER
            question.pixelformat = code_of(nth(list(self.formats), question.index))
        elif isinstance(question, v4l2.FrameSize) and code == v4l2.ENUM_FRAMESIZES:
            size = nth(list(self._sizes(question.pixel_format)), question.index)
            question.type = v4l2.DISCRETE if len(size) == 2 else 3
            question.numbers[: len(size)] = size
        elif isinstance(question, v4l2.FrameInterval) and code == v4l2.ENUM_FRAMEINTERVALS:
            sizes = self._sizes(question.pixel_format)
            intervals = sizes.get((question.width, question.height)) or next(iter(sizes.values()))
            question.type = v4l2.DISCRETE
            question.numbers[:2] = nth(intervals, question.index)
        else:
            raise OSError(ENOTTY, "no such question")

    def _sizes(self, pixel_format: int) -> dict[tuple[int, ...], Intervals]:
        return self.formats[v4l2.fourcc(pixel_format)]


def nth(items: list, index: int):  # pyright: ignore
    if index >= len(items):
        raise OSError(EINVAL, "Invalid argument")
    return items[index]


WEBCAM = FakeDevice(
    "HD Webcam C525",
    formats={
        "YUYV": {(640, 480): [(1, 30), (1, 15)], (1280, 720): [(1, 10), (1, 5)]},
        "MJPG": {(640, 480): [(1, 30)], (1280, 720): [(1, 30), (1, 15)]},
        "H264": {(1920, 1080): [(1, 30)]},
    },
)
METADATA = FakeDevice("HD Webcam C525", own_caps=0x00800000)
LOOPBACK = FakeDevice(
    "Dummy video device", "platform:v4l2loopback-000", {"YU12": {(2, 8192, 2, 1, 8192, 1): [(1, 60)]}}
)
