"""Pictures on a card as FFmpeg's frames, for encoders there: their memory is handed over, and not copied."""

from __future__ import annotations

from typing import Protocol

from av.video.frame import CudaContext, VideoFrame

from ..engines.cuda_errors import gpu_failures
from ..kernels.cuda import DevicePicture
from .upload import DOING


class FramesThere(Protocol):
    """What makes frames for an encoder of pictures on its card. One thread."""

    @property
    def form(self) -> str:
        """FFmpeg's pixel format of the frames."""
        ...

    def of(self, picture: DevicePicture) -> VideoFrame:
        """A frame of the picture's own memory, which it keeps alive. All work on the picture is done.

        Raises FFmpegError and EngineError.
        """
        ...


class CardFrames:
    """NV12 in the CUDA context that is the calling thread's at the first frame.

    An encoder reads memory of its own context only, so it must be the one that CuPy and PyTorch share. They have begun
    to use it, so FFmpeg must be told to take it as it is: it wants other flags. FFmpeg reads on the default stream.
    """

    form = "cuda"

    def __init__(self, device_id: int = 0) -> None:
        self._context = CudaContext(device_id, primary_ctx=False, current_ctx=True)

    def of(self, picture: DevicePicture) -> VideoFrame:
        with gpu_failures(DOING):
            return VideoFrame.from_dlpack((picture.luma, picture.chroma), "nv12", cuda_context=self._context)
