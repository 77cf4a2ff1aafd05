"""Write refocused frames to a video file: timestamps, rotation, colour tags and sound as in the source."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import av
import cv2
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from ..engines.atomic import written_aside
from ..kernels.api import Picture
from ..kernels.errors import InputError, OutputError
from .colour import ColourConverter
from .frame import Rendered
from .sound import SoundTrack
from .video_in import VideoInfo, reason

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
H264_OPTIONS = {"crf": "18", "preset": "veryfast"}
# x264's AVX-512 code gives different bytes from run to run (seen in macroblock-tree rate control); AVX2 does not.
CV_CPU_AVX_512F = 13  # OpenCV's number; its Python names of these differ between versions
UP_TO_AVX2 = {"x264-params": "asm=MMX2,SSE2,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"}
VP9_OPTIONS = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}


def container_of(path: Path) -> str:
    """The container that a file name asks for. Raises InputError."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise InputError(f"{path}: got the ending {path.suffix!r}, expected {', '.join(CONTAINERS)}") from None


@contextmanager
def video_sink(path: Path, info: VideoInfo, sound_from: str | None = None) -> Generator[VideoSink]:
    """A sink for `path`: the file appears at a clean end of the block, and not at all otherwise.

    sound_from: the file whose sound and subtitles are copied. Raises InputError for an unknown
    ending and OutputError when the disk is full.
    """
    container = container_of(path)
    with written_aside(path) as aside:
        sink = VideoSink(path, aside, container, info, sound_from)
        try:
            yield sink
            sink.finish()
        finally:
            sink.close()


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Raises OutputError, naming `path`, for what FFmpeg cannot encode or the disk cannot hold."""
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise OutputError(f"{path}: cannot write ({reason(error)}); it was not changed") from error


class VideoSink:
    """One video file being written. Make it with `video_sink`, which gives it its life's frame."""

    def __init__(self, path: Path, aside: Path, container: str, info: VideoInfo, sound_from: str | None) -> None:
        """path: the name it will have; aside: where it is written until then."""
        self._path, self._aside, self._container = path, aside, container
        self._info, self._sound_from = info, sound_from
        self._output: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._sound: SoundTrack | None = None
        self._converter = ColourConverter(info.tags)
        self._durations: dict[int, int] = {}
        self.notes: list[str] = []

    def write(self, rendered: Rendered) -> bool:
        """Encode one frame. Raises OutputError."""
        picture = self._info.orientation.coded(rendered.picture)
        with writing(self._path):
            if self._stream is None:
                self._open(picture)
            self._encode(picture, rendered)
        return True

    def _open(self, picture: Picture) -> None:
        self._output = av.open(f"file:{self._aside.absolute()}", "w", format=self._container)
        info, webm = self._info, self._container == "webm"
        codec: Literal["libvpx-vp9", "libx264"] = "libvpx-vp9" if webm else "libx264"
        options = VP9_OPTIONS if webm else _h264_options()
        rate = info.rate.limit_denominator(1 << 16)
        stream = self._output.add_stream(codec, rate=rate, options=options)
        context = stream.codec_context
        context.height, context.width = picture.shape[:2]
        context.pix_fmt = pixel_format(info.pix_fmt, picture.shape[0], picture.shape[1], vp9=webm)
        context.time_base = info.time_base
        stream.time_base = info.time_base
        tags = info.tags
        context.color_range = 2 if tags.full_range else 1
        context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
        if info.sample_aspect:
            context.sample_aspect_ratio = info.sample_aspect
        if info.matrix:
            stream.set_display_matrix(info.matrix)
        self._stream = stream
        if self._sound_from is not None:
            self._sound = SoundTrack(self._sound_from, self._output)

    def _encode(self, picture: Picture, rendered: Rendered) -> None:
        assert self._stream is not None
        pix_fmt = self._stream.codec_context.pix_fmt
        assert pix_fmt is not None
        frame = self._converter.from_rgb(picture, pix_fmt)
        frame.pts, frame.time_base = rendered.frame.pts, self._info.time_base
        self._durations[rendered.frame.pts] = rendered.frame.duration
        if self._sound is not None:
            self._sound.write_until(rendered.frame.time_s)
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        assert self._output is not None
        for packet in packets:
            # Encoders do not keep a frame's duration; without it the last frame of a file would have none.
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            if duration:
                packet.duration = round(duration * self._info.time_base / packet.time_base)
            self._output.mux(packet)

    def finish(self) -> None:
        """Flush the encoder, copy the rest of the sound, write the index. Raises OutputError."""
        if self._output is None or self._stream is None:
            raise OutputError("no frame arrived, so there is nothing to write")
        with writing(self._path):
            self._mux(self._stream.encode(None))
            if self._sound is not None:
                self._sound.finish()
                self.notes += self._sound.notes
            self._output.close()

    def close(self) -> None:
        """Let go of all files; what is not finished is lost."""
        if self._sound is not None:
            self._sound.close()
        if self._output is not None:
            with suppress(FFmpegError):  # a full disk fails here again; the first error is on its way
                self._output.close()


def _h264_options() -> dict[str, str]:
    return H264_OPTIONS | (UP_TO_AVX2 if cv2.checkHardwareSupport(CV_CPU_AVX_512F) else {})


def pixel_format(source: str, height: int, width: int, vp9: bool) -> str:
    """The 8-bit YUV format to write: the source's chroma, or full chroma where H.264 cannot halve an odd size."""
    chroma = next((c for c in ("444", "422") if c in source and source.startswith("yuv")), "420")
    odd = width % 2 == 1 or (height % 2 == 1 and chroma == "420")
    return "yuv444p" if odd and not vp9 else f"yuv{chroma}p"
