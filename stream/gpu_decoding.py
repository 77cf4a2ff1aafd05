"""Decoding on an NVIDIA GPU (NVDEC): when it is possible, and its frames as the CPU's decoders give them.

H.264, HEVC, VP9 and AV1 say to the bit what a picture is, so both give the same frames of a stream that is whole. What
is damaged each conceals in its own way; so at the first damage the CPU takes over.

Frames that the run wants on the GPU stay there; all others come to main memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ..engines.api import Say, to_stderr
from ..engines.gpu import OpenLibrary, find_gpu, has_context, open_driver
from ..kernels.errors import EngineError
from .decoder_planes import ON_CARD

# What NVDEC gives, U and V in turn, and what FFmpeg's own decoders give of the same stream.
PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}
STAYS = "nv12"
CURRENT_CONTEXT: dict[str, object] = {"primary_ctx": "0", "current_ctx": "1"}  # for FFmpeg


class CardLostError(Exception):
    """The GPU does not decode this stream, or no longer. Never reaches the user."""


@dataclass(slots=True)
class CardDecoding:
    """Whether a film is decoded on the GPU. wanted: as it was asked for, until something speaks against it.

    keeps_hw: the size (h, w) of the frames that stay there, where they can; None: none do.
    """

    wanted: bool
    say: Say = to_stderr
    driver: OpenLibrary = open_driver
    keeps_hw: tuple[int, int] | None = None
    reformatter: VideoReformatter = field(default_factory=VideoReformatter)
    _is_interlaced: bool = False

    def accelerators(self) -> list[HWAccel]:
        """For `av.open`, the best first; none where the CPU decodes, which is said where it was not asked for."""
        if not self.wanted:
            return []
        try:
            find_gpu(self.driver)
        except EngineError as error:
            self.give_up(str(error))
            return []
        # Frames can be read where they are only within one CUDA context: the one that CuPy and PyTorch share. If they
        # have begun, FFmpeg must be told to take it as it is: it wants other flags. If they have not, they will take
        # FFmpeg's. If another thread has, FFmpeg refuses, gets a context of its own, and all frames come down.
        options = CURRENT_CONTEXT if has_context(self.driver) else None
        shared = HWAccel("cuda", allow_software_fallback=True, options=options, is_hw_owned=True)
        return [shared, HWAccel("cuda", allow_software_fallback=True)]

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

    def handed_on(self, frame: VideoFrame) -> VideoFrame:
        """A frame from the GPU: as it is where it stays, else in main memory, laid out as by the CPU's decoder.

        Raises CardLostError.
        """
        name = (frame.sw_format or frame.format).name
        if name not in PLANAR:  # FFmpeg's own decoder has taken over
            raise CardLostError(f"this GPU does not decode this stream ({name})")
        if frame.is_corrupt:
            raise CardLostError("a frame is damaged")
        self._is_interlaced |= frame.interlaced_frame  # from there on all frames go through a filter of the CPU
        can_stay = frame.format.name == ON_CARD and name == STAYS and not self._is_interlaced
        if can_stay and (frame.height, frame.width) == self.keeps_hw:
            return frame
        return self.reformatter.reformat(frame, format=PLANAR[name])


def reason_of(error: FFmpegError | OSError) -> str:
    """Why a GPU did not decode, in a few words."""
    return f"it fails ({error.strerror or error})"
