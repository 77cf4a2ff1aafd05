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
from ..kernels.api import AnyPicture, InverseDepth, Picture
from ..kernels.cuda.card import Card, Mark
from ..kernels.cuda.memory import DevicePool, Lease, PinnedPool
from .frame import Frame, Layered, Rendered, Sensed
from .stages import DepthStage, RefocusStage
from .state import State

GLIMPSE_PX = 640  # about the longest side of the depth that layers and focus look at
DOING = "the GPU fails in the middle of the run"


@dataclass(frozen=True, slots=True, repr=False)
class OnCard:
    """A frame's `Elsewhere`. origin: as it came; ready: where its picture is there; lease: keeps it there."""

    origin: Frame
    ready: Mark
    lease: Lease

    def look(self) -> Picture:
        return self.origin.picture8


@dataclass(frozen=True, slots=True, repr=False)
class DepthGlimpse:
    """A `Glimpse`. values: in page-locked memory, there after `mark`."""

    values: InverseDepth
    mark: Mark

    def look(self) -> InverseDepth:
        with gpu_failures(DOING):
            self.mark.wait()
        return self.values


class UploadStage:
    """Frame → the same with its picture on the card, or on its way."""

    name = "upload"

    def __init__(self, card: Card) -> None:
        self._card = card
        self._staging = PinnedPool(card.pinned)
        self._pictures = DevicePool(card.kernels.launcher.empty)

    def __call__(self, frame: Frame) -> Frame:
        lane, given = self._card.upload, frame.picture
        with gpu_failures(DOING), lane.queue():
            lease = self._pictures.take(given.shape, given.dtype, lane.after)
            staged = self._staging.take(given.shape, given.dtype)
            np.copyto(staged, given)
            lane.send(staged, lease.array)
            ready = lane.mark()
            self._staging.busy(staged, ready)
        lease.busy(ready)  # it may be dropped before anything else is done with it
        return replace(frame, picture=cast(AnyPicture, lease.array), elsewhere=OnCard(frame, ready, lease))


class CardDepthStage:
    """A `DepthStage` on the card's compute lane."""

    name = DepthStage.name

    def __init__(self, stage: DepthStage, card: Card) -> None:
        self._stage, self._card = stage, card
        self._glimpses = PinnedPool(card.pinned)

    def __call__(self, frame: Frame) -> Sensed:
        place, lane = _place(frame), self._card.compute
        with gpu_failures(DOING), lane.queue():
            lane.after(place.ready)
            frame.in_8_bits(cast(Any, self._card.kernels))
            sensed = self._stage(frame)
            glimpse = self._glimpse(sensed.inverse_depth)
        place.lease.busy(glimpse.mark)
        return replace(sensed, glimpse=glimpse)

    def _glimpse(self, inverse_depth: InverseDepth) -> DepthGlimpse:
        step, there = max(1, max(inverse_depth.shape) // GLIMPSE_PX), cast(Any, inverse_depth)
        thin = self._card.kernels.every(there, step) if step > 1 else there
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
            rendered = self._stage(layered)
            mark = lane.mark()
        _place(layered.frame).lease.busy(mark)
        return replace(rendered, mark=mark)


class DownloadStage:
    """Rendered or Sensed → the same in main memory.

    Of a `Rendered`, the inverse depth is the glimpse; of a `Sensed`, which goes into a depth video, the whole.
    """

    name = "download"

    def __init__(self, card: Card) -> None:
        self._card = card
        self._pictures, self._small = PinnedPool(card.pinned), PinnedPool(card.pinned)

    def __call__(self, item: Rendered | Sensed) -> Rendered | Sensed:
        if isinstance(item, Sensed):
            assert item.glimpse is not None, "a depth of the card's own stage"
            inverse_depth, small = self._fetched(item.glimpse.mark, item.inverse_depth, item.small)
            return Sensed(_place(item.frame).origin, inverse_depth, item.cut, small)
        assert item.mark is not None, "a picture of the card's own stage"
        sensed = item.layered.sensed
        picture, small = self._fetched(item.mark, item.picture, sensed.small)
        here = Sensed(_place(sensed.frame).origin, sensed.seen, sensed.cut, small)
        return Rendered(replace(item.layered, sensed=here), picture)

    def _fetched(self, mark: Mark, large: Any, small: Any) -> tuple[Any, Any]:
        """The same in main memory, once the card has come to `mark`; None stays None."""
        lane = self._card.download
        with gpu_failures(DOING), lane.queue():
            lane.after(mark)
            here = self._pictures.take(large.shape, large.dtype), self._taken_for(small)
            for array, values in zip((large, small), here, strict=True):
                if values is not None:
                    lane.fetch(array, values)
            lane.mark().wait()
        return here

    def _taken_for(self, small: Any) -> Any:
        return None if small is None else self._small.take(small.shape, small.dtype)


def _place(frame: Frame) -> OnCard:
    assert isinstance(frame.elsewhere, OnCard), "a frame that the upload stage has seen"
    return frame.elsewhere
