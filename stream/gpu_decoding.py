"""Decoding on an NVIDIA GPU (NVDEC): when it is possible, and its frames as the CPU's decoders give them.

H.264, HEVC, VP9 and AV1 say to the bit what a picture is, so both give the same frames of a stream that is whole. What
is damaged each conceals in its own way; so at the first damage the CPU takes over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ..engines.api import Say, to_stderr
from ..engines.gpu import OpenLibrary, find_gpu, open_driver
from ..kernels.errors import EngineError

# What NVDEC gives, U and V in turn, and what FFmpeg's own decoders give of the same stream.
PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}


class CardLostError(Exception):
    """The GPU does not decode this stream, or no longer. Never reaches the user."""


@dataclass(slots=True)
class CardDecoding:
    """Whether a film is decoded on the GPU. wanted: as it was asked for, until something speaks against it."""

    wanted: bool
    say: Say = to_stderr
    driver: OpenLibrary = open_driver
    _reformatter: VideoReformatter = field(default_factory=VideoReformatter)

    def accelerator(self) -> HWAccel | None:
        """For `av.open`; None where the CPU decodes, which is said where it was not asked for."""
        if not self.wanted:
            return None
        try:
            find_gpu(self.driver)
        except EngineError as error:
            self.give_up(str(error))
            return None
        return HWAccel("cuda", allow_software_fallback=True)

    def give_up(self, why: str) -> None:
        """The CPU decodes from now on."""
        self.wanted = False
        self.say(f"--decode cuda: {why}; the CPU decodes instead")

    def check(self, stream: VideoStream) -> None:
        """Raises CardLostError for a stream that is known not to be decoded there."""
        context = stream.codec_context
        if not context.is_hwaccel:
            raise CardLostError(f"no GPU decodes {context.name}")
        if context.width % 2 or context.height % 2:
            raise CardLostError(f"a GPU does not decode odd sizes, got {context.width}×{context.height}")
        if stream.metadata.get("alpha_mode") == "1":
            raise CardLostError("a GPU does not decode alpha")

    def planar(self, frame: VideoFrame) -> VideoFrame:
        """A frame from the GPU, in main memory, laid out as the CPU's decoder would have it. Raises CardLostError."""
        name = frame.format.name
        if name not in PLANAR:  # FFmpeg's own decoder has taken over
            raise CardLostError(f"this GPU does not decode this stream ({name})")
        if frame.is_corrupt:
            raise CardLostError("a frame is damaged")
        return self._reformatter.reformat(frame, format=PLANAR[name])


def reason_of(error: FFmpegError | OSError) -> str:
    """Why a GPU did not decode, in a few words."""
    return f"it fails ({error.strerror or error})"
