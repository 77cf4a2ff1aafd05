"""A whole frame through the stages of a run on a card: NV12 in, depth by the net, layers, refocus, NV12 out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...engines.api import label
from ...engines.build import EngineRequest, build
from ...engines.switching import SwitchingEngine
from ...kernels.api import AnyPicture
from ...kernels.cuda import DevicePicture, HostYuv, YuvLayout, YuvSystem
from ...stream.focus import FocusPuller
from ...stream.frame import Frame
from ...stream.options import settings_from
from ...stream.parts import net_parts, through
from .card import Step
from .inputs import how_many, pictures, rotated
from .rows import APERTURE, LAYERS, Bench
from .timing import Measured, measured

SYSTEM = YuvSystem()
RATE = Fraction(30)
NOTE = f"net every frame, {LAYERS} layers, aperture {APERTURE:g}, fine, held steady"
Picture = NDArray[np.uint8] | HostYuv | DevicePicture


class WholeFrame:
    """All stages of a run, called one after the other. stays: the result stays on the card, as NV12."""

    def __init__(self, bench: Bench, size_hw: tuple[int, int], stays: bool) -> None:
        request = EngineRequest(device="cuda" if bench.card.device == "cuda" else "cpu", quality="fine")
        settings = settings_from(layers=LAYERS, aperture=APERTURE, engine=request)
        engine = build(request)
        if isinstance(engine, SwitchingEngine):
            engine.settle(size_hw)
        parts = net_parts(engine, settings, card=bench.card.lanes())
        self._stages = parts.stages(settings, FocusPuller(settings), nv12=SYSTEM if stays else None)
        self._index, self.engine = 0, label(engine)

    def __call__(self, picture: Picture) -> object:
        frame = Frame(cast(AnyPicture, picture), self._index, self._index, 1 / RATE, 1)
        self._index += 1
        return through(self._stages, frame)


def on_card(bench: Bench, size_hw: tuple[int, int]) -> Measured:
    """From NV12 on the card to NV12 on the card."""
    gpu, high = bench.card.launcher, size_hw[0]
    there: list[Any] = [gpu.upload(each) for each in nv12(bench, size_hw)]
    given = [DevicePicture(each[:high], each[high:], SYSTEM) for each in there]
    return _measured(bench, size_hw, given, stays=True)


def host_to_host(bench: Bench) -> Measured:
    """From NV12 in main memory to RGB in main memory, as a film's frames go."""
    size_hw = bench.sizes.hd
    drawn, layout = pictures(size_hw, how_many(3 * size_hw[0] * size_hw[1], bench.card.l2_bytes)), YuvLayout(*size_hw)
    planes = nv12(bench, size_hw)
    given = [
        HostYuv(plane, layout, SYSTEM, _given(drawn[index % len(drawn)])) for index, plane in enumerate(planes)
    ]  # fmt: skip
    return _measured(bench, size_hw, given, stays=False)


def on_card_hd(bench: Bench) -> Measured:
    return on_card(bench, bench.sizes.hd)


def on_card_uhd(bench: Bench) -> Measured:
    return on_card(bench, bench.sizes.uhd)


def nv12(bench: Bench, size_hw: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Frames as a decoder gives them, in main memory, `3h/2 w` uint8."""
    count = how_many(size_hw[0] * size_hw[1] * 3 // 2, bench.card.l2_bytes)
    gpu, kernels = bench.card.launcher, bench.kernels
    return [gpu.download(kernels.to_nv12(gpu.upload(each), SYSTEM)) for each in pictures(size_hw, count)]


def _measured(bench: Bench, size_hw: tuple[int, int], given: list[Any], stays: bool) -> Measured:
    """The work is on streams of its own, and the last stage waits for it: from event to event is a frame's latency."""
    made, picture_of = list[WholeFrame](), rotated(given)

    def make() -> Step:
        whole = WholeFrame(bench, size_hw, stays)
        made.append(whole)
        return lambda index: whole(picture_of(index))

    found = measured(bench.card, make, bench.lengths, size_hw=size_hw)
    return replace(found, engine=made[0].engine, notes=(*found.notes, NOTE))


def _given(picture: NDArray[np.uint8]) -> Callable[[], NDArray[np.uint8]]:
    return lambda: picture
