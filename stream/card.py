"""The stages of a run whose pictures are on a GPU: there once, and back once.

 upload → depth → layers → refocus → download

Depth and refocus are the stages of `stages.py`, with other kernels, on the card's compute lane. What the layers and the
focus look at is a small copy of the depth, which comes down while the card goes on; so nothing lags behind, and no
thread waits for the card more than once a frame. All else is handed on before the card has computed it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from ..engines.cuda_errors import gpu_failures
from ..kernels.api import AnyPicture, InverseDepth, Transfer
from ..kernels.cuda import DevicePicture, YuvSystem
from ..kernels.cuda.card import Card, Mark
from ..kernels.cuda.launch import DeviceArray
from ..kernels.cuda.memory import PinnedPool
from .frame import Frame, Layered, Rendered, Sensed
from .stages import DepthStage, RefocusStage
from .state import State
from .upload import DOING, place_of

GLIMPSE_PX = 640  # about the longest side of the depth that layers and focus look at
ENCODERS_PITCH = 256  # bytes; of FFmpeg's own frames on a GPU


@dataclass(frozen=True, slots=True, repr=False)
class DepthGlimpse:
    """A `Glimpse`. values: in page-locked memory, there after `mark`."""

    values: InverseDepth
    mark: Mark

    def look(self) -> InverseDepth:
        with gpu_failures(DOING):
            self.mark.wait()
        return self.values


class CardDepthStage:
    """A `DepthStage` on the card's compute lane."""

    name = DepthStage.name

    def __init__(self, stage: DepthStage, card: Card) -> None:
        self._stage, self._card = stage, card
        self._glimpses = PinnedPool(card.pinned)

    def __call__(self, frame: Frame) -> Sensed:
        place, lane, card = place_of(frame), self._card.compute, self._card
        with gpu_failures(DOING), lane.queue():
            lane.after(place.ready)
            try:
                with card.recording.frame():
                    frame.in_8_bits(cast(Any, card.kernels))
                    sensed = self._stage(frame)
                    thin = self._thin(sensed.inverse_depth)
            except BaseException:
                self._stage.lose()  # its arrays will never come, and the Python API's caller may go on
                raise
            glimpse = self._glimpse(card.recording.there(thin))
        place.lease.busy(glimpse.mark)
        depth, small = (_there(card, each) for each in (sensed.inverse_depth, sensed.small))
        return replace(sensed, inverse_depth=depth, small=small, glimpse=glimpse)

    def _thin(self, inverse_depth: InverseDepth) -> DeviceArray:
        step, there = max(1, max(inverse_depth.shape) // GLIMPSE_PX), cast(Any, inverse_depth)
        return self._card.kernels.every(there, step) if step > 1 else there

    def _glimpse(self, thin: DeviceArray) -> DepthGlimpse:
        values = self._glimpses.take(thin.shape, np.float32)
        self._card.compute.fetch(thin, values)
        mark = self._card.compute.mark()
        self._glimpses.busy(values, mark)
        return DepthGlimpse(values, mark)

    def state(self) -> State:
        with gpu_failures(DOING), self._card.compute.queue():
            return self._stage.state()

    def restore(self, state: State) -> None:
        with gpu_failures(DOING), self._card.compute.queue():
            self._stage.restore(state)


class CardRefocusStage:
    """A `RefocusStage` on the card's compute lane."""

    name = RefocusStage.name

    def __init__(self, stage: RefocusStage, card: Card) -> None:
        self._stage, self._card = stage, card

    def __call__(self, layered: Layered) -> Rendered:
        lane = self._card.compute
        with gpu_failures(DOING), lane.queue():
            with self._card.recording.frame():
                rendered = self._stage(layered)
            mark = lane.mark()
        place_of(layered.frame).lease.busy(mark)
        return replace(rendered, picture=_there(self._card, rendered.picture), mark=mark)


def _there(card: Card, array: Any) -> Any:
    """An array of recorded work that was handed over; None stays None."""
    return None if array is None else card.recording.there(array)


class DownloadStage:
    """Rendered, Layered or Sensed → the same in main memory.

    Of a `Rendered` or `Layered`, the inverse depth is the glimpse; of a `Sensed`, which goes into a depth video, the
    whole. nv12: the picture stays on the card, as a `DevicePicture` of this system for an encoder there; it has even
    sides. All work on it is done when it is handed on, and its memory is its own as long as it is referred to.
    """

    name = "download"

    def __init__(self, card: Card, nv12: YuvSystem | None = None) -> None:
        self._card, self._nv12 = card, nv12
        self._pictures, self._small = PinnedPool(card.pinned), PinnedPool(card.pinned)

    def __call__(self, item: Rendered | Layered | Sensed) -> Rendered | Layered | Sensed:
        with gpu_failures(DOING):
            match item:
                case Sensed():
                    return self._depth(item)
                case Layered():
                    return self._layered(item)
                case Rendered():
                    return self._picture(item)

    def _depth(self, sensed: Sensed) -> Sensed:
        assert sensed.glimpse is not None, "a depth of the card's own stage"
        self._card.download.after(sensed.glimpse.mark)
        inverse_depth = self._fetched(sensed.inverse_depth, self._pictures)
        small = self._fetched(sensed.small, self._small)
        self._card.download.mark().wait()
        return Sensed(place_of(sensed.frame).origin, inverse_depth, sensed.cut, small)

    def _picture(self, rendered: Rendered) -> Rendered:
        assert rendered.mark is not None, "a picture of the card's own stage"
        given = rendered.picture
        self._card.download.after(rendered.mark)
        if self._nv12 is None:
            picture = self._fetched(given, self._pictures)
        else:
            picture = nv12_there(self._card, given, self._nv12, rendered.frame.transfer)
            self._card.download.after(self._card.compute.mark())
        return Rendered(self._home(rendered.layered), picture)

    def _layered(self, layered: Layered) -> Layered:
        assert layered.sensed.glimpse is not None, "a depth of the card's own stage"
        self._card.download.after(layered.sensed.glimpse.mark)
        return self._home(layered)

    def _home(self, layered: Layered) -> Layered:
        """What the lane now waits for, once it and all that was fetched before are here."""
        sensed = layered.sensed
        small = self._fetched(sensed.small, self._small)
        self._card.download.mark().wait()
        return replace(layered, sensed=Sensed(place_of(sensed.frame).origin, sensed.seen, sensed.cut, small))

    def _fetched(self, array: Any, pool: PinnedPool) -> Any:
        """The same in main memory, once the lane has come there; None stays None."""
        if array is None:
            return None
        here = pool.take(array.shape, array.dtype)
        self._card.download.fetch(array, here)
        return here


def nv12_there(card: Card, picture: Any, system: YuvSystem, transfer: Transfer = "srgb") -> AnyPicture:
    """A `DevicePicture` of RGB on the card, made on the compute lane. transfer: of a picture of 16 bits.

    Luma and chroma are one piece of memory, as encoders there expect it.
    """
    high, wide = picture.shape[:2]
    with card.compute.queue():
        in_8_bits = picture if picture.dtype == np.uint8 else card.kernels.to_8_bits(picture, transfer)
        planes: Any = card.kernels.to_nv12(in_8_bits, system, ENCODERS_PITCH)
    return cast(AnyPicture, DevicePicture(planes[:high, :wide], planes[high:, :wide], system))
