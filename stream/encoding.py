"""How pictures become the packets of a video stream: codec, pixel format, colour tags, timestamps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ..kernels.api import Picture
from ..kernels.errors import InputError
from .colour import ColourConverter
from .frame import Frame
from .video_in import VideoInfo

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
H264_OPTIONS = {"crf": "18", "preset": "veryfast"}
# x264's AVX-512 code gives different bytes from run to run (seen in macroblock-tree rate control); AVX2 does not.
CV_CPU_AVX_512F = 13  # OpenCV's number; its Python names of these differ between versions
UP_TO_AVX2 = {"x264-params": "asm=MMX2,SSE2,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"}
VP9_OPTIONS = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the pictures of a file are written as. container and codec: FFmpeg's names of muxer and encoder."""

    container: str
    codec: str
    pix_fmt: str
    options: dict[str, str]


def container_of(path: Path) -> str:
    """The container that a file name asks for. Raises InputError."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise InputError(f"{path}: got the ending {path.suffix!r}, expected {', '.join(CONTAINERS)}") from None


def choose_encoding(container: str, info: VideoInfo, size_hw: tuple[int, int]) -> Encoding:
    """What fits the container and comes nearest to the source. size_hw: of the coded pictures to be written."""
    vp9 = container == "webm"
    pix_fmt = pixel_format(info.pix_fmt, *size_hw, vp9=vp9)
    if vp9:
        return Encoding(container, "libvpx-vp9", pix_fmt, VP9_OPTIONS)
    return Encoding(container, "libx264", pix_fmt, _h264_options())


def _h264_options() -> dict[str, str]:
    return H264_OPTIONS | (UP_TO_AVX2 if cv2.checkHardwareSupport(CV_CPU_AVX_512F) else {})


def pixel_format(source: str, height: int, width: int, vp9: bool) -> str:
    """The 8-bit YUV format to write: the source's chroma, or full chroma where H.264 cannot halve an odd size."""
    chroma = next((c for c in ("444", "422") if c in source and source.startswith("yuv")), "420")
    odd = width % 2 == 1 or (height % 2 == 1 and chroma == "420")
    return "yuv444p" if odd and not vp9 else f"yuv{chroma}p"


class PictureEncoder:
    """The video stream of an output container, tagged as the source is. FFmpeg's errors pass through."""

    def __init__(self, output: OutputContainer, encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int]) -> None:
        """size_hw: of the coded pictures."""
        self._info = info
        self._converter = ColourConverter(info.tags)
        self._pix_fmt = encoding.pix_fmt
        self._durations: dict[int, int] = {}
        self.stream = _open_stream(output, encoding, info, size_hw)

    def encode(self, picture: Picture, frame: Frame) -> list[Packet[VideoStream]]:
        """picture: upright, as `frame` is, whose time it gets."""
        coded = self._converter.from_rgb(self._info.orientation.coded(picture), self._pix_fmt)
        pts = frame.pts - self._info.first_pts
        coded.pts, coded.time_base = pts, self._info.time_base
        self._durations[pts] = frame.duration
        return self._timed(self.stream.encode(coded))

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that the encoder still held."""
        return self._timed(self.stream.encode(None))

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        for packet in packets:
            # Encoders do not keep a frame's duration; without it the last frame of a file would have none.
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            if duration:
                packet.duration = round(duration * self._info.time_base / packet.time_base)
        return packets


def _open_stream(output: OutputContainer, encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int]) -> VideoStream:
    rate = info.rate.limit_denominator(1 << 16)
    stream = output.add_stream(encoding.codec, rate=rate, options=encoding.options)
    assert isinstance(stream, VideoStream)
    context, tags = stream.codec_context, info.tags
    context.height, context.width = size_hw
    context.pix_fmt = encoding.pix_fmt
    context.time_base = stream.time_base = info.time_base
    context.color_range = 2 if tags.full_range else 1
    context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
    if info.sample_aspect:
        context.sample_aspect_ratio = info.sample_aspect
    if info.matrix:
        stream.set_display_matrix(info.matrix)
    return stream
