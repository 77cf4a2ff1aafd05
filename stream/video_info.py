"""What a film says of itself, for those who write it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from .colour import BT709_TAGS, ColourTags
from .config import View
from .hdr import HdrMetadata
from .orientation import Orientation
from .span import Cut
from .views import TILES

HDR_BITS = 10  # at least


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a sink needs to know of its source. size_hw is the coded size, before turning upright."""

    size_hw: tuple[int, int]
    rate: Fraction
    time_base: Fraction
    pix_fmt: str
    tags: ColourTags
    bits: int = 8
    matrix: tuple[int, ...] | None = None
    orientation: Orientation = field(default_factory=Orientation)
    sample_aspect: Fraction | None = None
    frames: int | None = None
    codec: str = ""
    codec_tag: str = ""
    alpha: bool = False
    hdr: HdrMetadata = field(default_factory=HdrMetadata)
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: Cut | None = None  # the part of the film that is read

    @property
    def upright_hw(self) -> tuple[int, int]:
        """The size of the frames."""
        return self.orientation.upright_hw(self.size_hw)

    @property
    def chroma(self) -> int:
        """444, 422, or 420 for those and all others."""
        return next((c for c in (444, 422) if str(c) in self.pix_fmt and self.pix_fmt.startswith("yuv")), 420)

    @property
    def bits_to_keep(self) -> int:
        """What an output must have so that nothing is lost."""
        return self.bits if self.tags.light == "srgb" else max(self.bits, HDR_BITS)

    def shown_as(self, view: View) -> VideoInfo:
        """Of the film that is written, its size included: `self` is of the one that is shown in it."""
        columns, rows = TILES.get(view, (1, 1))
        high, wide = self.upright_hw
        size_hw = self.orientation.upright_hw((high * rows, wide * columns))  # for sizes a turn is its own inverse
        return replace(self if view == "refocus" else self.in_8_bits(), size_hw=size_hw)

    def in_8_bits(self) -> VideoInfo:
        """For the views, which are 8-bit SDR whatever the source is."""
        tags = self.tags if self.tags.light == "srgb" else ColourTags(*BT709_TAGS)
        return replace(self, bits=8, tags=tags, codec="", codec_tag="", alpha=False, hdr=HdrMetadata())

    @property
    def first_pts(self) -> int:
        """The timestamp that becomes 0 in what is written."""
        return 0 if self.cut is None else round(self.cut.start_s / self.time_base)
