"""Colour tags: what a stream says of its YUV, and how to go to RGB and back without a shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from ..kernels.api import AnyPicture, Transfer
from ..kernels.errors import InputError
from .frame import Alpha

UNSPECIFIED = 2  # AVCOL_*_UNSPECIFIED for matrix, transfer and primaries
RGB_MATRIX = 0
ICTCP_MATRICES = (14, 15)
BT709, BT709_TAGS = 1, (1, 1, 1)
HDR_TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
DOLBY_VISION = ("DOVI_METADATA", "DOVI_RPU_BUFFER")
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
OPAQUE = {1: 255, 2: 1023 << 6}  # by bytes: swscale leaves the low bits of a scarcer alpha empty
# By bits and alpha. Planar in 16 bits: swscale gives false colours on its way from halved chroma to rgb48le.
_RGB = {(8, False): "rgb24", (8, True): "rgba", (16, False): "gbrp16le", (16, True): "gbrap16le"}


@dataclass(frozen=True, slots=True)
class ColourTags:
    """AVCOL_* numbers of a stream, to be written as they were read."""

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full_range: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> ColourTags:
        """Raises InputError for colours that no matrix leads to RGB."""
        dolby = any(frame.side_data.get(kind) is not None for kind in DOLBY_VISION)
        if frame.colorspace in ICTCP_MATRICES or (dolby and frame.color_trc == UNSPECIFIED):
            raise InputError(
                "its colours are ICtCp (as in Dolby Vision profile 5), which cannot be kept; convert it to HDR10 or HLG"
            )
        matrix = UNSPECIFIED if frame.colorspace == RGB_MATRIX else frame.colorspace
        full = frame.color_range == ColorRange.JPEG
        return cls(frame.color_primaries, frame.color_trc, matrix, full)

    @property
    def light(self) -> Transfer:
        """What code values stand for; all that is not HDR is taken as sRGB."""
        return HDR_TRANSFERS.get(self.transfer, "srgb")

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

    def to_rgb(self, frame: VideoFrame, size_hw: tuple[int, int]) -> tuple[AnyPicture, Alpha | None]:
        """`h w 3` and, where the frame has it and it is not opaque, alpha `h w`; coded orientation.

        uint16 where the frame has more than 8 bits or is HDR, else uint8.
        """
        is_rgb = frame.format.is_rgb or "pal8" in frame.format.name
        space = self._tags.colourspace(size_hw[0])
        bits = 16 if bits_of(frame) > 8 or self._tags.light != "srgb" else 8
        rgb = self._reformatter.reformat(
            frame,
            width=size_hw[1],
            height=size_hw[0],
            format=_RGB[bits, has_alpha(frame)],
            src_colorspace=None if is_rgb else space,
            dst_colorspace=None if is_rgb else space,
            src_color_range=ColorRange.JPEG if is_rgb else self._range,
            dst_color_range=ColorRange.JPEG,
            interpolation=_SCALING,
            threads=1,
        )
        return _parted(cast(AnyPicture, rgb.to_ndarray()))

    def from_rgb(self, picture: AnyPicture, pix_fmt: str, alpha: Alpha | None = None) -> VideoFrame:
        """A frame in `pix_fmt`, tagged as the source was."""
        whole = picture if alpha is None else np.dstack((picture, alpha))
        frame = VideoFrame.from_ndarray(
            cast("NDArray[np.uint8]", whole), format=_RGB[8 * picture.itemsize, alpha is not None]
        )
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
        return self.tagged(out)

    def tagged(self, frame: VideoFrame) -> VideoFrame:
        """`frame`, whose YUV is as the source's."""
        frame.colorspace = self._tags.matrix
        frame.color_primaries = self._tags.primaries
        frame.color_trc = self._tags.transfer
        frame.color_range = self._range
        return frame


def bits_of(frame: VideoFrame) -> int:
    """Of the component that has the most."""
    return max(component.bits for component in frame.format.components)


def has_alpha(frame: VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components)


def _parted(whole: AnyPicture) -> tuple[AnyPicture, Alpha | None]:
    """Colour and alpha; what is opaque throughout has none."""
    if whole.shape[2] == 3:
        return whole, None
    alpha = np.ascontiguousarray(whole[..., 3])
    picture = cast(AnyPicture, cv2.cvtColor(whole, cv2.COLOR_RGBA2RGB))
    return picture, None if int(alpha.min()) >= OPAQUE[alpha.itemsize] else alpha
