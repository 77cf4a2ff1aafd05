"""Frames kept without loss in a job's segments, until all are there and an animation or pictures are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from av.codec import CodecContext
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..kernels.api import AnyPicture
from .colour import has_alpha
from .frame import Alpha, Frame
from .packet_file import PacketFile
from .video_info import VideoInfo

# FFVHuff takes a fifth of FFV1's time, but no 16 bits.
_CODECS = {8: "ffvhuff", 16: "ffv1"}
# By bits and alpha: what is given to the encoder, and what it takes. The way between them only moves bytes.
_PLAIN = {(8, False): "rgb24", (8, True): "rgba", (16, False): "gbrp16le", (16, True): "gbrap16le"}
_CODED = _PLAIN | {(8, True): "bgra"}


@dataclass(frozen=True, slots=True, repr=False)
class StoredFrame:
    """One upright picture of a result: `h w 3` RGB, uint8 or uint16; alpha `h w` of the same type, None = opaque.

    start_s: from the result's beginning; both times are exact.
    """

    picture: AnyPicture
    alpha: Alpha | None
    start_s: Fraction
    duration_s: Fraction

    def __repr__(self) -> str:
        height, width = self.picture.shape[:2]
        return f"StoredFrame({width}×{height}, {float(self.start_s):.3f} s)"


class LosslessEncoder:
    """A lossless stream in RGB. FFmpeg's errors pass through."""

    def __init__(
        self, output: OutputContainer, info: VideoInfo, size_hw: tuple[int, int], bits: int, alpha: bool
    ) -> None:
        """size_hw: of the upright pictures, whose components have 8 or 16 bits. alpha: whether it can be kept."""
        self._info, self._key, self._durations = info, (bits, alpha and info.alpha), dict[int, int]()
        self._lost_alpha = False
        stream = output.add_stream(_CODECS[bits], rate=info.rate.limit_denominator(1 << 16))
        assert isinstance(stream, VideoStream)
        stream.codec_context.height, stream.codec_context.width = size_hw
        stream.codec_context.pix_fmt = _CODED[self._key]
        stream.codec_context.time_base = stream.time_base = info.time_base
        self.stream = stream

    @property
    def notes(self) -> list[str]:
        """What of the source was lost so far."""
        return ["the input's alpha is not kept: the output has no place for it"] if self._lost_alpha else []

    def encode(self, picture: AnyPicture, frame: Frame) -> list[Packet[VideoStream]]:
        """picture: upright, as `frame` is, whose time and alpha it gets."""
        self._lost_alpha |= self._info.alpha and frame.alpha is not None and not self._key[1]
        whole = np.dstack((picture, _alpha_beside(picture, frame.alpha))) if self._key[1] else picture
        coded = VideoFrame.from_ndarray(cast("NDArray[np.uint8]", whole), format=_PLAIN[self._key])
        coded = coded.reformat(format=_CODED[self._key])
        coded.pts, coded.time_base = frame.pts - self._info.first_pts, self._info.time_base
        self._durations[coded.pts] = frame.duration
        return self._timed(self.stream.encode(coded))

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that the encoder still held."""
        return self._timed(self.stream.encode(None))

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        for packet in packets:  # encoders do not keep a frame's duration
            packet.duration = self._durations.pop(packet.pts or 0)
        return packets


def _alpha_beside(picture: AnyPicture, alpha: Alpha | None) -> Alpha:
    """`h w` of the picture's type, opaque where there is none."""
    if alpha is None:
        return np.full(picture.shape[:2], np.iinfo(picture.dtype).max, picture.dtype)
    if alpha.dtype == picture.dtype:
        return alpha
    return (alpha >> 8).astype(np.uint8)  # beside the 8-bit rendition of a deeper picture


def stored_frames(segments: Sequence[Path], bits: int) -> Iterator[StoredFrame]:
    """The frames of all segments, in order. Raises InputError where a segment is damaged.

    bits: those that the encoder was made with.
    """
    for path in segments:
        file = PacketFile(path)
        decoder, unit = _decoder(file, bits), file.facts.time_base
        durations = {entry.pts: entry.duration for entry in file.entries}
        for packet in (*file.packets(), None):
            for frame in decoder.decode(cast(Any, packet)):
                picture, alpha = _parted(frame, bits)
                pts = frame.pts or 0
                yield StoredFrame(picture, alpha, pts * unit, durations[pts] * unit)


def _decoder(file: PacketFile, bits: int) -> VideoCodecContext:
    decoder = CodecContext.create(_CODECS[bits], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.height, decoder.width = file.facts.size_hw
    decoder.extradata, decoder.thread_type = file.facts.extradata, "SLICE"
    return decoder


def _parted(frame: VideoFrame, bits: int) -> tuple[AnyPicture, Alpha | None]:
    """Colour and, if it was kept, alpha."""
    whole = cast(AnyPicture, frame.reformat(format=_PLAIN[bits, has_alpha(frame)]).to_ndarray())
    if whole.shape[2] == 3:
        return whole, None
    return cast(AnyPicture, cv2.cvtColor(whole, cv2.COLOR_RGBA2RGB)), np.ascontiguousarray(whole[..., 3])


def summary(segments: Sequence[Path]) -> tuple[int, list[str]]:
    """Of all segments: the number of frames, and what the encoders had to say. Raises InputError."""
    files = [PacketFile(path) for path in segments]
    return sum(len(file.entries) for file in files), list(dict.fromkeys(n for file in files for n in file.facts.notes))
