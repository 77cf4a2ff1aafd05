"""A camera that is no device, whose cable and driver the test has in its hands."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from time import monotonic, sleep

import numpy as np
from pullfocus.kernels.errors import InputError
from pullfocus.stream.clock import MILLISECOND
from pullfocus.stream.frame import Frame

EVERY_S = 0.02


class FlakyCamera:
    """`opened` is what `Reconnecting` wants. Unplugged, reading fails; stalled, it blocks as a driver does."""

    def __init__(self, size_hw: tuple[int, int] = (96, 128)) -> None:
        self.size_hw = size_hw
        self.is_plugged, self.is_running = Event(), Event()
        self.is_plugged.set()
        self.is_running.set()
        self.opens = self.closes = self.given = 0

    def opened(self) -> FlakyInput:
        self.opens += 1
        if not self.is_plugged.is_set():
            raise InputError("camera 7 cannot be opened")
        return FlakyInput(self)

    def unplug(self) -> None:
        self.is_plugged.clear()

    def plug(self, size_hw: tuple[int, int] | None = None) -> None:
        self.size_hw = size_hw or self.size_hw
        self.is_plugged.set()

    def picture(self) -> np.ndarray:
        """A ramp with a bar that moves: a scene with something to see, which stays one scene."""
        height, width = self.size_hw
        x = np.linspace(0, 200, width)[None, :] + np.linspace(0, 50, height)[:, None]
        picture = np.repeat(x[..., None], 3, axis=2).astype(np.uint8)
        at = self.given * 2 % (width - 8)
        picture[:, at : at + 8] = 255
        return picture


class FlakyInput:
    ends = False

    def __init__(self, camera: FlakyCamera) -> None:
        self._camera = camera
        height, width = camera.size_hw
        self.notes = [f"camera 7 gives {width}×{height}"]

    def frames(self) -> Iterator[Frame]:
        started_s, index = monotonic(), 0
        while True:
            sleep(EVERY_S)
            while not self._camera.is_running.wait(0.5) and self._camera.is_plugged.is_set():
                pass
            if not self._camera.is_plugged.is_set():
                raise InputError("camera 7 stopped giving pictures")
            now_s = monotonic()
            yield Frame(self._camera.picture(), index, round((now_s - started_s) * 1000), MILLISECOND, 0, now_s)
            self._camera.given += 1
            index += 1

    def close(self) -> None:
        self._camera.closes += 1
