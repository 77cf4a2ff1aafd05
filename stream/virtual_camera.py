"""A camera for other programs: frames go to v4l2loopback (Linux) or to OBS's virtual camera (Windows, macOS)."""

from __future__ import annotations

import sys
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, cast

from ..kernels.api import Picture
from ..kernels.errors import MissingExtraError, OutputError
from .fitting import FixedSize
from .frame import Frame, Rendered
from .live_info import nominal_rate

_ADVICE = {
    "linux": "load v4l2loopback: sudo modprobe v4l2loopback exclusive_caps=1 card_label=pullfocus",
    "win32": "install OBS and start its virtual camera once",
    "darwin": "install OBS and start its virtual camera once",
}


class Device(Protocol):
    """An open camera device."""

    @property
    def device(self) -> str: ...

    def send(self, frame: Picture, /) -> None:
        """`h w 3` uint8 RGB of the size it was opened with."""
        ...

    def close(self) -> None: ...


class Cameras(Protocol):
    """What this file needs of pyvirtualcam."""

    def Camera(self, width: int, height: int, fps: float, *, device: str | None) -> Device: ...  # noqa: N802 - its name


def load_cameras() -> Cameras:
    """Raises MissingExtraError."""
    try:
        return cast(Cameras, import_module("pyvirtualcam"))
    except ImportError as error:
        raise MissingExtraError("pyvirtualcam", "virtual", "--sink virtual") from error


class VirtualCamera:
    """Shows frames to other programs as a camera. Its size is that of the first picture; later ones are fitted."""

    def __init__(self, cameras: Cameras, device: str | None, rate: float | None) -> None:
        """device: such as `/dev/video10`, None: the first that is free. rate: frames a second that were asked for."""
        self._cameras, self._name, self._rate = cameras, device, rate
        self._fit = FixedSize()
        self._device: Device | None = None

    def __enter__(self) -> VirtualCamera:
        return self

    def write(self, rendered: Rendered) -> bool:
        """Raises OutputError when there is no such device, or when it is gone."""
        picture = self._fit(cast(Picture, rendered.picture))
        try:
            if self._device is None:
                self._device = self._open(rendered.frame, picture)
            self._device.send(picture)
        except (RuntimeError, OSError, ValueError) as error:
            where = "" if self._name is None else f":{self._name}"
            advice = _ADVICE.get(sys.platform, "there is none for this system")
            raise OutputError(f"--sink virtual{where}: no virtual camera ({_first_line(error)}); {advice}") from error
        return True

    def _open(self, frame: Frame, picture: Picture) -> Device:
        height, width = picture.shape[:2]
        device = self._cameras.Camera(width, height, nominal_rate(frame, self._rate), device=self._name)
        print(f"pullfocus: the virtual camera is {device.device}, {width}×{height}", file=sys.stderr)
        return device

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device is not None:
            self._device.close()


def _first_line(error: Any) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
