"""Cameras on Linux, asked through the kernel's Video4Linux2 interface (`linux/videodev2.h`).

A file of our own: the one kept package for it (linuxpy) is under the GPL.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from ctypes import Array, Structure, Union, c_char, c_uint32, sizeof
from errno import EINVAL, ENOTTY
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from .cameras import Camera, Mode

VIDEO_CAPTURE, DEVICE_CAPS = 0x1, 0x80000000  # capabilities
CAPTURE_BUFFER = 1  # the buffer type of what is captured
DISCRETE = 1  # a list of sizes or intervals; else a range with steps
# Offered of a range of sizes, h × w.
USUAL_SIZES = ((240, 320), (480, 640), (600, 800), (720, 1280), (1080, 1920), (2160, 3840))
MOST = 256  # answers to one question: a driver in error never says that it was the last

_U32 = c_uint32


class Capability(Structure):
    driver: bytes
    card: bytes
    bus_info: bytes
    capabilities: int
    device_caps: int
    _fields_: ClassVar = [
        ("driver", c_char * 16), ("card", c_char * 32), ("bus_info", c_char * 32), ("version", _U32),
        ("capabilities", _U32), ("device_caps", _U32), ("reserved", _U32 * 3),
    ]  # fmt: skip


class FormatDescription(Structure):
    index: int
    type: int
    pixelformat: int
    _fields_: ClassVar = [
        ("index", _U32), ("type", _U32), ("flags", _U32), ("description", c_char * 32), ("pixelformat", _U32),
        ("mbus_code", _U32), ("reserved", _U32 * 3),
    ]  # fmt: skip


class FrameSize(Structure):
    """discrete: width, height. Stepwise: minimum, maximum and step of the width, then of the height."""

    index: int
    pixel_format: int
    type: int
    numbers: Array[c_uint32]
    _fields_: ClassVar = [
        ("index", _U32), ("pixel_format", _U32), ("type", _U32), ("numbers", _U32 * 6), ("reserved", _U32 * 2),
    ]  # fmt: skip


class FrameInterval(Structure):
    """Numerators and denominators, in seconds. discrete: one. Stepwise: minimum, maximum, step."""

    index: int
    pixel_format: int
    width: int
    height: int
    type: int
    numbers: Array[c_uint32]
    _fields_: ClassVar = [
        ("index", _U32), ("pixel_format", _U32), ("width", _U32), ("height", _U32), ("type", _U32),
        ("numbers", _U32 * 6), ("reserved", _U32 * 2),
    ]  # fmt: skip


def ioctl_code(reads: bool, writes: bool, number: int, kind: type[Structure | Union]) -> int:
    """As the kernel's _IOR and _IOWR make it, for the letter V."""
    return reads << 31 | writes << 30 | sizeof(kind) << 16 | ord("V") << 8 | number


QUERYCAP = ioctl_code(True, False, 0, Capability)
ENUM_FMT = ioctl_code(True, True, 2, FormatDescription)
ENUM_FRAMESIZES = ioctl_code(True, True, 74, FrameSize)
ENUM_FRAMEINTERVALS = ioctl_code(True, True, 75, FrameInterval)


class Device(Protocol):
    """An open device file."""

    def ioctl(self, code: int, question: Structure, /) -> None:
        """Fills in the answer. Raises OSError, EINVAL after the last of a list."""
        ...


class DeviceFile(AbstractContextManager["DeviceFile"]):
    """One of /dev/video*. Raises OSError."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def ioctl(self, code: int, question: Structure, /) -> None:
        fcntl.ioctl(self._file, code, question)

    def __exit__(self, *error: object) -> None:
        os.close(self._file)


def list_v4l2(
    folder: Path = Path("/dev"), opened: Callable[[str], AbstractContextManager[Device]] = DeviceFile
) -> list[Camera]:
    """All that give pictures, by number; the nodes that only give metadata are left out."""
    numbers = sorted(int(path.name[5:]) for path in folder.glob("video*") if path.name[5:].isdecimal())
    found: list[Camera] = []
    for number in numbers:
        path = str(folder / f"video{number}")
        try:
            with opened(path) as device:
                camera = read_camera(number, path, device)
        except OSError as error:
            if error.errno == ENOTTY:
                continue  # no V4L2 device
            camera = Camera(number, path, trouble=f"cannot be opened ({error.strerror}); are you in the group `video`?")
        if camera is not None:
            found.append(camera)
    return found


def read_camera(number: int, path: str, device: Device) -> Camera | None:
    """What a device says of itself, None where it gives no pictures. Raises OSError."""
    capability = Capability()
    device.ioctl(QUERYCAP, capability)
    # The device may have several nodes; `capabilities` are those of all.
    has_own = capability.capabilities & DEVICE_CAPS
    if not (capability.device_caps if has_own else capability.capabilities) & VIDEO_CAPTURE:
        return None
    formats = [answer.pixelformat for answer in _answers(device, ENUM_FMT, _format_question)]
    modes = tuple(mode for pixel_format in formats for mode in _modes(device, pixel_format))
    name, bus = (text.decode(errors="replace") for text in (capability.card, capability.bus_info))
    return Camera(number, path, name, bus, modes)


def _modes(device: Device, pixel_format: int) -> Iterator[Mode]:
    for answer in _answers(device, ENUM_FRAMESIZES, lambda index: FrameSize(index=index, pixel_format=pixel_format)):
        for height, width in _sizes(answer):
            yield Mode(fourcc(pixel_format), (height, width), _rates(device, pixel_format, height, width))


def _sizes(answer: FrameSize) -> Sequence[tuple[int, int]]:
    low_w, high_w, step_w, low_h, high_h, step_h = answer.numbers
    if answer.type == DISCRETE:
        return [(high_w, low_w)]  # there the first two numbers are width and height
    within = [
        (h, w) for h, w in USUAL_SIZES if _is_step(w, low_w, high_w, step_w) and _is_step(h, low_h, high_h, step_h)
    ]
    return within or [(high_h, high_w)]


def _is_step(value: int, low: int, high: int, step: int) -> bool:
    return low <= value <= high and (value - low) % (step or 1) == 0


def _rates(device: Device, pixel_format: int, height: int, width: int) -> tuple[float, ...]:
    """Frames a second, the highest first; of a range its highest."""

    def question(index: int) -> FrameInterval:
        return FrameInterval(index=index, pixel_format=pixel_format, width=width, height=height)

    intervals = [tuple(answer.numbers[:2]) for answer in _answers(device, ENUM_FRAMEINTERVALS, question)]
    return tuple(sorted({round(below / above, 3) for above, below in intervals if above}, reverse=True))


def _format_question(index: int) -> FormatDescription:
    return FormatDescription(index=index, type=CAPTURE_BUFFER)


S = TypeVar("S", bound=Structure)


def _answers(device: Device, code: int, question: Callable[[int], S]) -> Iterator[S]:
    """The answers for 0, 1, 2, … until the driver says that there are no more."""
    for index in range(MOST):
        answer = question(index)
        try:
            device.ioctl(code, answer)
        except OSError as error:
            if error.errno in (EINVAL, ENOTTY):  # the last, or a driver that knows no such question
                return
            raise
        yield answer


def fourcc(code: int) -> str:
    """A pixel format's four letters."""
    return code.to_bytes(4, "little").decode("latin-1").rstrip()
