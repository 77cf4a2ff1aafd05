"""Frames on their way to a GPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from ..engines.cuda_errors import gpu_failures
from ..kernels.api import AnyPicture, Picture
from ..kernels.cuda import DevicePicture, HostYuv, SpentPicture, YuvLayout
from ..kernels.cuda.card import Card, Mark
from ..kernels.cuda.launch import DeviceArray
from ..kernels.cuda.memory import DevicePool, Lease, PinnedPool
from .cuts import SAMPLED_HW
from .frame import Frame

DOING = "the GPU fails in the middle of the run"
MOST_HELD = 3  # of a decoder's pictures that the card may still be reading


@dataclass(frozen=True, slots=True, repr=False)
class OnCard:
    """A frame's `Elsewhere`. origin: as it came; ready: where its picture is there; lease: keeps it there.

    A decoder's picture on the card is left out of origin, or its memory would be held until the frame is done with.
    looks: gives the picture in main memory. glances: the same for a small copy; None: the picture itself.
    """

    origin: Frame
    ready: Mark
    lease: Lease
    looks: Callable[[], Picture]
    glances: Callable[[], Picture] | None = None

    def look(self) -> Picture:
        return self.looks()

    def glance(self) -> Picture:
        return self.looks() if self.glances is None else self.glances()


class UploadStage:
    """Frame → the same with its picture, RGB, on the card, or on its way. A decoder's own picture is turned there."""

    name = "upload"

    def __init__(self, card: Card) -> None:
        self._card = card
        self._staging, self._small = PinnedPool(card.pinned), PinnedPool(card.pinned)
        self._pictures = DevicePool(card.kernels.launcher.empty)
        self._held = deque[tuple[Mark, DevicePicture]]()

    def __call__(self, frame: Frame) -> Frame:
        given: Any = frame.picture  # whatever its annotation says
        with gpu_failures(DOING), self._card.upload.queue():
            lease = self._pictures.take(given.shape, given.dtype, self._card.upload.after)
            if isinstance(given, HostYuv | DevicePicture):
                place = self._turned(frame, given, lease)
            else:
                self._send(given, lease.array)
                place = OnCard(frame, self._card.upload.mark(), lease, lambda: frame.picture8)
        lease.busy(place.ready)  # it may be dropped before anything else is done with it
        return replace(frame, picture=cast(AnyPicture, lease.array), elsewhere=place)

    def _send(self, values: Any, to: DeviceArray) -> None:
        staged = self._staging.take(values.shape, values.dtype)
        np.copyto(staged, values)
        self._card.upload.send(staged, to)
        self._staging.busy(staged, self._card.upload.mark())

    def _turned(self, frame: Frame, given: HostYuv | DevicePicture, lease: Lease) -> OnCard:
        """To RGB; a small copy of it comes back, for cuts to be seen."""
        kernels, lane = self._card.kernels, self._card.upload
        if isinstance(given, HostYuv):
            layout, planes = given.layout, kernels.launcher.empty(given.planes.shape, np.uint8)
            self._send(given.planes, planes)
        else:
            layout, planes = YuvLayout(*given.shape[:2]), kernels.nv12_of(given)
        kernels.from_yuv(planes, layout, given.system, lease.array)
        thumb = self._small.take((*SAMPLED_HW, 3), np.uint8)
        lane.fetch(kernels.shrink(lease.array, SAMPLED_HW), thumb)
        ready = lane.mark()
        self._small.busy(thumb, ready)
        if isinstance(given, HostYuv):
            return OnCard(frame, ready, lease, given.rgb, lambda: _after(ready, thumb))
        self._hold(ready, given)
        spent = replace(frame, picture=cast(AnyPicture, SpentPicture(given.shape)))
        return OnCard(spent, ready, lease, lambda: self._looked_at(lease), lambda: _after(ready, thumb))

    def _hold(self, ready: Mark, picture: DevicePicture) -> None:
        """Keep a decoder's picture until the card has read it: its memory is the decoder's."""
        self._held.append((ready, picture))
        while len(self._held) > MOST_HELD or self._held[0][0].done:
            mark, _ = self._held[0]
            mark.wait()
            self._held.popleft()
            if not self._held:
                return

    def _looked_at(self, lease: Lease) -> Picture:
        """The whole picture in main memory, only for what follows a point or looks for faces. Waits for the card."""
        with gpu_failures(DOING), self._card.upload.queue():
            return self._card.kernels.download(lease.array)


def _after(mark: Mark, values: Picture) -> Picture:
    with gpu_failures(DOING):
        mark.wait()
    return values


def place_of(frame: Frame) -> OnCard:
    assert isinstance(frame.elsewhere, OnCard), "a frame that the upload stage has seen"
    return frame.elsewhere
