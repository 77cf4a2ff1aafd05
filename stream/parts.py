"""What a run is made of, and its stages: on the CPU, or with the pictures on a GPU."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ..engines.api import Engine, label
from ..engines.there import EngineThere
from ..kernels.api import Kernels, load
from ..kernels.cuda import YuvSystem
from ..kernels.cuda.card import Card
from .card import CardDepthStage, CardRefocusStage, DownloadStage
from .config import Settings
from .controls import Controls
from .depth_range import Shot
from .focus import FocusPuller
from .pipeline import CAPACITY, Stage
from .stages import DepthSource, DepthStage, LayersStage, NetDepth, RefocusStage
from .upload import UploadStage

CAPACITY_ON_CARD = 1  # a 4K frame on its way has some 80 MB there, and the lanes overlap all the same


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made of.

    kernels: for whole pictures. engine: says where depth comes from, and on which card pictures are. cuts: where scenes
    begin, if that is known. card: where `kernels` and `depth` work, None = the CPU.
    """

    kernels: Kernels
    depth: DepthSource
    engine: str
    cuts: Collection[int] | None = None
    card: Card | None = None

    def stages(
        self,
        settings: Settings,
        puller: FocusPuller,
        controls: Controls | None = None,
        nv12: YuvSystem | None = None,
    ) -> list[Stage]:
        """Depth → layers → refocus, and on a card the way there and back. controls: what is turned while they run.

        nv12: pictures stay on the card, for an encoder there: see `DownloadStage`.
        """
        depth, refocus = DepthStage(self.depth, self.cuts), RefocusStage(self.kernels, settings, controls)
        layers = LayersStage(load("cpu"), settings, puller, controls)  # on a card too: what it looks at is small
        if self.card is None:
            return [depth, layers, refocus]
        on_card = CardDepthStage(depth, self.card), layers, CardRefocusStage(refocus, self.card)
        return [UploadStage(self.card), *on_card, DownloadStage(self.card, nv12)]

    def layer_stages(self, settings: Settings, puller: FocusPuller) -> list[Stage]:
        """Depth and layers, and no picture."""
        return [stage for stage in self.stages(settings, puller) if stage.name != RefocusStage.name]

    @property
    def capacity(self) -> int:
        """Of the channels between the stages of a film."""
        return CAPACITY if self.card is None else CAPACITY_ON_CARD

    def depth_stages(self) -> list[Stage]:
        """Depth alone."""
        depth = DepthStage(self.depth, self.cuts)
        if self.card is None:
            return [depth]
        return [UploadStage(self.card), CardDepthStage(depth, self.card), DownloadStage(self.card)]


def through(stages: Sequence[Stage], item: Any) -> Any:
    """One item through all of them, in this thread."""
    for stage in stages:
        item = stage(item)
    return item


def halves(stages: Sequence[Stage]) -> tuple[Sequence[Stage], Sequence[Stage]]:
    """Those from a frame to its layers, and those from there to its picture."""
    after = [stage.name for stage in stages].index(RefocusStage.name)
    return stages[:after], stages[after:]


def net_parts(
    engine: Engine,
    settings: Settings,
    shots: Sequence[Shot] | None = None,
    controls: Controls | None = None,
    card: Card | None = None,
) -> Parts:
    """The parts whose depth is an engine's. shots, controls: as `NetDepth` takes them. Raises InputError."""
    kernels, asked = kernels_of(card), engine if card is None else EngineThere(engine, card.kernels)
    depth = NetDepth(asked, kernels, settings, shots, controls)
    return Parts(kernels, depth, label(engine) + told_of(card), card=card)


def kernels_of(card: Card | None) -> Kernels:
    return load("cpu") if card is None else cast(Kernels, cast(Any, card.kernels))


def told_of(card: Card | None) -> str:
    """For reports; two cards may round differently."""
    return "" if card is None else f", pictures on {card.name}"
