"""Write frames to a video file in one go, as a recording; a film's job does it in segments (`segments.py`)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from ..engines.atomic import unchanged, written_aside
from ..kernels.errors import OutputError
from .decoding import reason
from .encoding import NO_WISHES, choose_encoding, container_of
from .encoding_wish import EncodingWish
from .frame import Rendered
from .gpu_encoding import settled
from .labels import muxer_options
from .picture_encoder import PictureEncoder
from .video_info import VideoInfo


@contextmanager
def video_sink(path: Path, info: VideoInfo, wish: EncodingWish = NO_WISHES) -> Generator[VideoSink]:
    """A sink for `path`: the file appears at a clean end of the block, and not at all otherwise.

    Raises InputError for an unknown ending or a wish that cannot be met, and OutputError when the disk is full.
    """
    container = container_of(path)
    with written_aside(path) as aside:
        sink = VideoSink(path, aside, container, info, wish)
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
        raise OutputError(f"{path}: cannot write ({reason(error)}){unchanged(path)}") from error


def open_output(path: Path, container: str, info: VideoInfo) -> OutputContainer:
    """A file for a film with what `info` says of it. Raises FFmpegError, OSError."""
    return av.open(
        f"file:{path.absolute()}",
        "w",
        format=container,
        container_options=muxer_options(container, info.metadata),
        metadata_errors="replace",
    )


class VideoSink:
    """One video file being written. Make it with `video_sink`, which gives it its life's frame."""

    def __init__(self, path: Path, aside: Path, container: str, info: VideoInfo, wish: EncodingWish) -> None:
        """path: the name it will have; aside: where it is written until then."""
        self._path, self._aside, self._container = path, aside, container
        self._info, self._wish = info, wish
        self._output: OutputContainer | None = None
        self._encoder: PictureEncoder | None = None

    def write(self, rendered: Rendered) -> bool:
        """Encode one frame. Raises OutputError."""
        frame, picture = rendered.frame, rendered.picture
        with writing(self._path):
            encoder = self._encoder or self._open(picture.shape[:2])
            self._mux(encoder.encode(picture, frame))
        return True

    def _open(self, upright_hw: tuple[int, int]) -> PictureEncoder:
        info = self._info
        size_hw = info.orientation.upright_hw(upright_hw)  # a turn by a quarter is its own inverse for sizes
        wish = settled(self._wish, self._container, info, size_hw)
        encoding = choose_encoding(self._container, info, size_hw, wish)
        self._output = open_output(self._aside, self._container, info)
        self._encoder = PictureEncoder(self._output, encoding, info, size_hw)
        return self._encoder

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        assert self._output is not None
        self._output.mux(packets)

    def finish(self) -> None:
        """Flush the encoder, write the index. Raises OutputError."""
        if self._output is None or self._encoder is None:
            raise OutputError("no frame arrived, so there is nothing to write")
        with writing(self._path):
            self._mux(self._encoder.flush())
            self._output.close()

    def close(self) -> None:
        """Let go of all files; what is not finished is lost."""
        if self._output is not None:
            with suppress(FFmpegError):  # a full disk fails here again; the first error is on its way
                self._output.close()
