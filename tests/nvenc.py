"""NVENC, played: x264 that takes a card's memory, as the tests' card has it, for frames in NV12.

An encoder of its own kind reads late: not when a frame comes, but when its packet is due.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import finalize

import numpy as np
import pytest
from av.error import ExternalError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import DTypeLike
from pullfocus.kernels.cuda import DevicePicture
from pullfocus.kernels.cuda.launch import DeviceArray, Shape
from pullfocus.stream import gpu_encoding, handover, picture_encoder, video_job
from pullfocus.stream.card_frames import FramesThere
from pullfocus.stream.codecs import ENCODERS, x264_params
from pullfocus.stream.handover import TRIAL_FRAMES

from .cuda_shim.launcher import ShimLauncher

CODEC = "h264_nvenc"
SPOILT = 77
BROKEN = "Generic error in an external library"
CUDA = 2  # a device type of DLPack


class HostFrames:
    """Frames of the played card's memory. fails_at: the frame, of the trial or the film, at which FFmpeg gives up."""

    form = "nv12"

    def __init__(self, fails_at: int = -1) -> None:
        self.made, self._fails_at = 0, fails_at

    def of(self, picture: DevicePicture) -> VideoFrame:
        if self.made == self._fails_at:
            raise ExternalError(542398533, BROKEN)
        self.made += 1
        return VideoFrame.from_dlpack((picture.luma, picture.chroma), "nv12")

    @property
    def of_the_film(self) -> int:
        return max(0, self.made - TRIAL_FRAMES)


class PlayedNvenc:
    """Plays for all films from now on. frames: of each film that could hand over, in their order. said: lines about it.

    lossless: what is decoded is what was encoded. make: the next film's frames.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lossless: bool = False) -> None:
        self.frames, self.said = list[Any](), list[str]()
        self.make: Callable[[], FramesThere] = HostFrames
        quality = {"crf": "0" if lossless else "18"}
        played = replace(ENCODERS[CODEC], name="libx264", options=x264_params(), constant="crf", quality=quality)
        monkeypatch.setitem(ENCODERS, CODEC, played)
        monkeypatch.setattr(gpu_encoding, "_why_not", _starts)
        monkeypatch.setattr(picture_encoder, "NVENC_FORMATS", {"libx264": ()})
        tried = partial(handover.handed_over, say=self.said.append, opened=self._opened)
        monkeypatch.setattr(video_job, "handed_over", tried)

    def _opened(self, device_id: int) -> FramesThere:
        assert device_id == 0
        self.frames.append(self.make())
        return self.frames[-1]


def _starts(*_: object) -> None:
    return None


class LateStream:
    """A stream whose encoder reads a frame when `late` more have come, and keeps nothing but its address."""

    def __init__(self, stream: VideoStream, late: int = 3) -> None:
        self._stream, self._late = stream, late
        self._waiting = deque[tuple[list[Any], Any]]()
        self.codec_context = stream.codec_context

    def encode(self, frame: VideoFrame | None) -> list[Any]:
        packets = list[Any]()
        if frame is not None:
            self._waiting.append(([_at(plane, frame.width) for plane in frame.planes], (frame.pts, frame.time_base)))
        while self._waiting and (frame is None or len(self._waiting) > self._late):
            planes, (pts, time_base) = self._waiting.popleft()
            read = VideoFrame.from_ndarray(np.vstack(planes), format="nv12")
            read.pts, read.time_base = pts, time_base
            packets += self._stream.encode(read)
        return [*packets, *(self._stream.encode(None) if frame is None else [])]


def _at(plane: Any, wide: int) -> Any:
    """Its rows, of `wide` bytes each, as they are when they are read."""
    memory = (ctypes.c_uint8 * (plane.line_size * plane.height)).from_address(plane.buffer_ptr)
    return np.ctypeslib.as_array(memory).reshape(plane.height, plane.line_size)[:, :wide]


class SpoilingLauncher(ShimLauncher):
    """What nobody refers to any more is at once another's."""

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self._memory = list[bytearray]()

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        if self.capture is not None:
            return super().empty(shape, dtype)
        memory = bytearray(b"\xff" * (int(np.prod(shape)) * np.dtype(dtype).itemsize))
        self._memory.append(memory)  # it stays mapped, so that reading it too late is seen and no crash
        flat: Any = np.frombuffer(memory, dtype)
        finalize(flat, _spoil, memory)
        return flat.reshape(shape)


def _spoil(memory: bytearray) -> None:
    memory[:] = bytes([SPOILT]) * len(memory)


class SaysCuda:
    """A plane in main memory whose DLPack says that it is on a GPU."""

    def __init__(self, values: Any) -> None:
        self._values, self.shape = values, values.shape

    def __dlpack__(self, *, stream: Any = None) -> Any:
        del stream
        capsule = self._values.__dlpack__()
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        managed = pointer(capsule, b"dltensor")
        assert managed is not None
        ctypes.c_int32.from_address(managed + ctypes.sizeof(ctypes.c_void_p)).value = CUDA
        return capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, 0
