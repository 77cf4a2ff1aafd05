"""Network streams through FFmpeg, opened so that little waits in buffers and nothing waits for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import monotonic

import av
from av.container import InputContainer
from av.error import ExitError, FFmpegError

from ..kernels.errors import InputError
from .clock import pace, spread_out
from .damage import Damage
from .decoding import reason
from .frame import Frame
from .urls import without_secrets
from .video_in import PlanesOfVideo, VideoSource

OPEN_S = 7.0  # for each of the two steps of opening; `Reconnecting` waits for START_S in all
READ_S = 2.0  # without data: the connection is given up and made anew
HLS, HLS_READ_S = "hls", 15.0  # a segment at a time, of 2 to 10 s: between two of them nothing comes
FILM_READ_S = 30.0  # a film cannot be taken up where it was, so a slow network is waited for
CONNECT_US = 3_000_000
LOOK_EVERY_S, LEAST_WAIT = 1.0, 0.02  # a stream that is read in time is waited for, for this share of the time at least
# Little is looked at beforehand. (With `nobuffer` FFmpeg would throw it away, and with it the first key frame.)
_QUICK = {"analyzeduration": "1000000"}
_CONNECTION = {"timeout": str(CONNECT_US)}
_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "rtsp": {**_CONNECTION, "rtsp_transport": "tcp"},  # over UDP a lost packet spoils pictures for seconds
    "rtsps": {**_CONNECTION, "rtsp_transport": "tcp"},
    "http": _CONNECTION,
    "https": _CONNECTION,
    "tcp": _CONNECTION,
    # At most 1.5 MB wait in the receiver; what comes too fast is lost there instead of ending the stream.
    "udp": {"fifo_size": "8192", "overrun_nonfatal": "1"},
}


class StreamInput(PlanesOfVideo):
    """A network stream in its own time; or a film behind a URL, which comes as fast as the network goes, paced."""

    def __init__(self, url: str) -> None:
        """Waits for the first picture. Raises InputError."""
        self._comes_in_bursts = False

        def opened(name: str) -> InputContainer:
            container = open_stream(url, name)
            self._comes_in_bursts = container.format.name == HLS
            return container

        self._video = VideoSource(without_secrets(url), live=True, opened=opened)
        self.ends = self._video.info.frames is not None

    def frames(self) -> Iterator[Frame]:
        if self.ends:
            return pace(self._video.frames())
        return spread_out(self._video.frames()) if self._comes_in_bursts else self._in_time()

    def _in_time(self) -> Iterator[Frame]:
        """All frames; when the machine is too slow to decode them, key frames only, until it has caught up."""
        looked_s, waited_s = monotonic(), self._video.waited_s
        for frame in self._video.frames():
            yield frame
            passed_s = monotonic() - looked_s
            if passed_s >= LOOK_EVERY_S:
                # Data that is always there already has piled up on its way, and what is shown would be ever later.
                self._video.hurry(self._video.waited_s - waited_s < LEAST_WAIT * passed_s)
                looked_s, waited_s = monotonic(), self._video.waited_s

    @property
    def notes(self) -> list[str]:
        return self._video.other_notes

    @property
    def damage(self) -> Damage:
        return self._video.damage

    def close(self) -> None:
        self._video.close()


def open_stream(url: str, name: str) -> InputContainer:
    """Raises InputError in one line, within OPEN_S for each step. name: the URL as it may be shown."""
    scheme = url.partition("://")[0].lower()
    try:
        container = _opened(url, {**_QUICK, **_OPTIONS.get(scheme, {})}, READ_S)
        if not container.duration and container.format.name != HLS:
            return container
        film = bool(container.duration)
        container.close()
        return _opened(url, {}, FILM_READ_S) if film else _opened(url, {**_QUICK, **_CONNECTION}, HLS_READ_S)
    except ExitError as error:  # the time is over
        raise InputError(f"{name}: no answer within {OPEN_S:g} s; is it sending, and can it be reached?") from error
    except (FFmpegError, OSError) as error:
        raise InputError(f"{name}: cannot be opened as a stream ({reason(error)})") from error


def _opened(url: str, options: dict[str, str], read_s: float) -> InputContainer:
    return av.open(url, "r", options=options, timeout=(OPEN_S, read_s), metadata_errors="replace")
