"""Colour tags: what a stream says of its YUV, and how to go to RGB and back without a shift."""

from __future__ import annotations

from dataclasses import dataclass

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from ..kernels.api import Picture
from ..kernels.errors import InputError

UNSPECIFIED = 2  # AVCOL_*_UNSPECIFIED for matrix, transfer and primaries
RGB_MATRIX = 0
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
# Without exact rounding swscale darkens a picture by one level on the way there and back.
_SCALING = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
HD_HEIGHT_PX = 720  # players take untagged pictures from this height on as BT.709, smaller ones as BT.601


@dataclass(frozen=True, slots=True)
class ColourTags:
    """AVCOL_* numbers of a stream, to be written as they were read."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full_range: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> ColourTags:
        """Raises InputError for HDR, which 8-bit processing would wash out."""
        if frame.color_trc in HDR_TRANSFERS:
            raise InputError(
                f"the video is HDR ({HDR_TRANSFERS[frame.color_trc]}); this version handles SDR, so convert it first"
            )
        matrix = UNSPECIFIED if frame.colorspace == RGB_MATRIX else frame.colorspace
        full = frame.color_range == ColorRange.JPEG
        return cls(frame.color_primaries, frame.color_trc, matrix, full)

    def colourspace(self, height_px: int) -> Colorspace:
        """The YUV matrix to compute with."""
        guess = Colorspace.ITU709 if height_px >= HD_HEIGHT_PX else Colorspace.ITU601
        return _MATRICES.get(self.matrix, guess)


class ColourConverter:
    """YUV ↔ RGB with one matrix and range in both directions. One thread, one converter."""

    def __init__(self, tags: ColourTags) -> None:
        self._tags = tags
        self._reformatter = VideoReformatter()

    @property
    def _range(self) -> ColorRange:
        return ColorRange.JPEG if self._tags.full_range else ColorRange.MPEG

    def to_rgb(self, frame: VideoFrame, size_hw: tuple[int, int]) -> Picture:
        """`h w 3` uint8, coded orientation."""
        is_rgb = frame.format.is_rgb or "pal8" in frame.format.name
        space = self._tags.colourspace(size_hw[0])
        rgb = self._reformatter.reformat(
            frame,
            width=size_hw[1],
            height=size_hw[0],
            format="rgb24",
            src_colorspace=None if is_rgb else space,
            dst_colorspace=None if is_rgb else space,
            src_color_range=ColorRange.JPEG if is_rgb else self._range,
            dst_color_range=ColorRange.JPEG,
            interpolation=_SCALING,
            threads=1,
        )
        return rgb.to_ndarray()  # pyright: ignore[reportReturnType]

    def from_rgb(self, picture: Picture, pix_fmt: str) -> VideoFrame:
        """A frame in `pix_fmt`, tagged as the source was."""
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        space = self._tags.colourspace(picture.shape[0])
        out = self._reformatter.reformat(
            frame,
            format=pix_fmt,
            src_colorspace=space,
            dst_colorspace=space,
            src_color_range=ColorRange.JPEG,
            dst_color_range=self._range,
            interpolation=_SCALING,
            threads=1,
        )
        out.colorspace = self._tags.matrix
        out.color_primaries = self._tags.primaries
        out.color_trc = self._tags.transfer
        return out
