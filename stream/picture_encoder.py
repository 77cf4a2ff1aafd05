"""How pictures become the packets of a video stream: pixel format, colour tags, timestamps."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..kernels.api import AnyPicture
from ..kernels.cuda import DevicePicture
from ..kernels.errors import EncoderLostError
from .card_frames import FramesThere
from .codecs import NVENC_FORMATS, PixelFormat, quieten
from .colour import ColourConverter
from .decoding import reason
from .encoding import Encoding
from .frame import Alpha, Frame
from .video_info import VideoInfo


class PictureEncoder:
    """The video stream of an output container, tagged as the source is.

    FFmpeg's errors pass through, but for those of an encoder on a GPU: EncoderLostError.
    """

    def __init__(
        self,
        output: OutputContainer,
        encoding: Encoding,
        info: VideoInfo,
        size_hw: tuple[int, int],
        frames: FramesThere | None = None,
    ) -> None:
        """size_hw: of the coded pictures. frames: makes frames of pictures on the encoder's card, where they are."""
        self._info, self._encoding, self._frames = info, encoding, frames
        self._converter = ColourConverter(info.tags)
        form = PixelFormat.parse(encoding.pix_fmt)
        self._keeps_alpha = form is not None and form.alpha
        self._lost_alpha = False
        self._durations: dict[int, int] = {}
        self._held: dict[int, DevicePicture] = {}
        self.stream = _open_stream(output, encoding, info, size_hw)

    @property
    def notes(self) -> list[str]:
        """What of the source was lost so far."""
        lost = (
            f"the input's alpha is not kept: {self._encoding.codec} in {self._encoding.container} has no place for it"
        )
        return [*self._encoding.notes, *([lost] if self._lost_alpha else [])]

    def encode(self, picture: AnyPicture, frame: Frame) -> list[Packet[VideoStream]]:
        """picture: upright, as `frame` is, whose time and alpha it gets.

        Or a `DevicePicture`, as it is to be coded. It is held until its packet is there: an encoder may read it until
        then, and FFmpeg lets go of one frame a packet, whichever that is.
        """
        given: Any = picture  # whatever its annotation says
        alpha, pts = self._alpha(frame), frame.pts - self._info.first_pts
        if isinstance(given, DevicePicture):
            coded, self._held[pts] = self._there(given), given
        else:
            coded = self._converter.from_rgb(self._info.orientation.coded(picture), self._encoding.pix_fmt, alpha)
        coded.pts, coded.time_base = pts, self._info.time_base
        self._durations[pts] = frame.duration
        return self._timed(self._encoded(coded))

    def _there(self, picture: DevicePicture) -> VideoFrame:
        """Where the first is on the card, the encoder is opened for such; by a file's header it is opened without."""
        assert self._frames is not None, "whoever leaves pictures on the card says how they are handed over"
        context = self.stream.codec_context
        if not context.is_open:
            context.pix_fmt = self._frames.form
        with self._may_be_lost():
            return self._converter.tagged(self._frames.of(picture))

    def _alpha(self, frame: Frame) -> Alpha | None:
        if frame.alpha is None or not self._info.alpha:
            return None
        self._lost_alpha |= not self._keeps_alpha
        return self._info.orientation.coded(frame.alpha) if self._keeps_alpha else None

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that the encoder still held."""
        return self._timed(self._encoded(None))

    def _encoded(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        with self._may_be_lost():
            return self.stream.encode(frame)

    @contextmanager
    def _may_be_lost(self) -> Generator[None]:
        try:
            yield
        except FFmpegError as error:
            if self._encoding.codec not in NVENC_FORMATS:
                raise
            raise EncoderLostError(f"{self._encoding.codec}: {reason(error)}") from error

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        for packet in packets:
            # Encoders do not keep a frame's duration; without it the last frame of a file would have none.
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            if packet.pts is not None:
                self._held.pop(packet.pts, None)
            if duration:
                packet.duration = round(duration * self._info.time_base / packet.time_base)
        return packets


def _open_stream(output: OutputContainer, encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int]) -> VideoStream:
    quieten()
    rate: Fraction = info.rate.limit_denominator(1 << 16)
    stream = output.add_stream(encoding.codec, rate=rate, options=encoding.options)
    assert isinstance(stream, VideoStream)
    context, tags = stream.codec_context, info.tags
    context.height, context.width = size_hw
    context.pix_fmt = encoding.pix_fmt
    context.time_base = stream.time_base = info.time_base
    context.color_range = 2 if tags.full_range else 1
    context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
    if encoding.bitrate is not None:
        context.bit_rate = encoding.bitrate
    if encoding.tag is not None:
        context.codec_tag = encoding.tag
    if info.sample_aspect:
        context.sample_aspect_ratio = info.sample_aspect
    if info.matrix:
        stream.set_display_matrix(info.matrix)
    return stream
