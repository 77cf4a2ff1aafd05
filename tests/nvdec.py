"""NVDEC, played: FFmpeg's own decoder, whose frames come as NVDEC's do, in main memory or as if they were on a GPU."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakSet

import numpy as np
import pytest
from av.error import ExternalError
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from pullfocus.stream import film_input
from pullfocus.stream.gpu_decoding import CardDecoding

SEMI_PLANAR = {"yuv420p": "nv12", "yuv420p10le": "p010le"}
PITCH = 32


class SurfacePlane:
    """As PyAV hands it over: it keeps its frame, and no stream may be asked for."""

    def __init__(self, frame: Surface, view: Any) -> None:
        self._frame, self._view = frame, view

    def __dlpack__(self, *, stream: int | None = None) -> Any:
        if stream is not None:
            raise NotImplementedError("CUDA stream synchronization is not supported")
        return self._view.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._view.__dlpack_device__()


class Surface:
    """A `VideoFrame` in GPU memory, of one that is in main memory. What nobody holds is the decoder's again."""

    def __init__(self, given: VideoFrame) -> None:
        self.given, self.format, self.sw_format = given, SimpleNamespace(name="cuda"), given.format
        self._views = [_pitched(plane) for plane in given.planes]

    @property
    def planes(self) -> tuple[SurfacePlane, ...]:
        return tuple(SurfacePlane(self, view) for view in self._views)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.given, name)

    def __del__(self) -> None:
        for view in self._views:
            view[:] = 77


def _pitched(plane: VideoPlane) -> Any:
    values: Any = np.from_dlpack(plane)  # pyright: ignore[reportArgumentType]
    rows = np.zeros((values.shape[0], values[0].size + PITCH), values.dtype)
    view = rows[:, : values[0].size].reshape(values.shape)
    assert np.shares_memory(view, rows)
    view[:] = values
    return view


class Downloads:
    """A `VideoReformatter` that also takes surfaces."""

    def __init__(self) -> None:
        self._real = VideoReformatter()

    def reformat(self, frame: Any, **how: Any) -> VideoFrame:
        return self._real.reformat(frame.given if isinstance(frame, Surface) else frame, **how)


class PlayedNvdec:
    """Plays for all films that are opened from now on.

    fails_at: the frame at which `failure` is raised. there: frames are surfaces; `alive` are those somebody holds.
    refused: accelerators that FFmpeg does not take.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        fails_at: int | None = None,
        failure: Exception | None = None,
        there: bool = False,
        refused: Collection[str] = (),
    ) -> None:
        self.frames, self.stayed = 0, 0
        self.said, self.alive = list[str](), WeakSet[Surface]()
        self._fails_at, self._failure, self._there, self._real = fails_at, failure, there, CardDecoding.handed_on
        self._reformatter = Downloads()
        plain = film_input.open_input

        def opened(location: str, accelerator: str | None = None) -> Any:
            if accelerator in refused:
                raise ExternalError(542398533, "Primary context already active")
            return plain(location)

        def accelerators(card: CardDecoding) -> list[str]:
            return ["shared", "own"] if card.wanted else []

        def taken(_card: CardDecoding, _stream: Any) -> None:
            return None

        def handed_on(card: CardDecoding, frame: VideoFrame) -> VideoFrame:
            return self.handed_on(card, frame)

        for name, part in {"accelerators": accelerators, "check": taken, "handed_on": handed_on}.items():
            monkeypatch.setattr(CardDecoding, name, part)
        monkeypatch.setattr(film_input, "open_input", opened)

    def handed_on(self, card: CardDecoding, frame: VideoFrame) -> VideoFrame:
        card.say, card.reformatter = self.said.append, cast(VideoReformatter, self._reformatter)
        if self.frames == self._fails_at:
            assert self._failure is not None
            raise self._failure
        self.frames += 1
        given: Any = self._reformatter.reformat(frame, format=SEMI_PLANAR[frame.format.name])
        if self._there:
            given = Surface(given)
            self.alive.add(given)
        out = self._real(card, given)
        self.stayed += isinstance(out, Surface)
        return out
