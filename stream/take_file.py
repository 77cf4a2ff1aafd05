"""One recording made while a live run goes on, written by a thread of its own so that it does not slow the view."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import cast

from ..kernels.api import Picture
from ..kernels.errors import InputError, OutputError, PullfocusError
from .channel import Channel, ChannelClosed
from .encoding_wish import EncodingWish
from .fitting import fitted
from .frame import Rendered

CAPACITY = 8  # frames that may wait; an encoder that falls further behind loses the oldest
RESERVE_BYTES = 64 << 20  # a recording ends, whole, before the disk is fuller than this
CHECK_EVERY = 25  # frames between two looks at the disk


class TakeFile:
    """A recording without sound: begins at once, takes frames in any thread, and is whole some time after `end`.

    It has the size of its first frame; when the view changes, later frames are fitted into that, on black.
    """

    def __init__(self, path: Path, rate: float, wish: EncodingWish, tell: Callable[[str], None]) -> None:
        """path: as it will appear; rate: nominal, in frames a second. tell: hears, in another thread, how it ended."""
        self.path = path
        self.frames = 0
        self._rate, self._wish, self._tell = rate, wish, tell
        self._channel: Channel[Rendered] = Channel("recording", CAPACITY, newest_wins=True)
        self._first_pts: int | None = None
        self._size_hw = (0, 0)
        # A daemon: a disk that hangs must not keep the program from ending.
        self._thread = Thread(target=self._run, name="pullfocus-recording", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames lost because the encoder was behind."""
        return self._channel.stats.dropped

    def put(self, rendered: Rendered) -> bool:
        """Hand over a frame; False when the recording has ended, by itself or by `end`."""
        try:
            self._channel.put(rendered)
        except ChannelClosed:
            return False
        return True

    def end(self) -> None:
        """No more frames; what waits is still encoded."""
        self._channel.close()

    def join(self, timeout_s: float) -> bool:
        """Wait for the file; False when it is not finished in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            reason = self._record()
            lost = f", {self.dropped} dropped" if self.dropped else ""
            self._tell(f"{reason}saved {self.path} ({self.frames} frames{lost})")
        except Exception as error:  # of a thread with no caller: it would end unheard
            self._tell(_said(error))
        finally:
            self._channel.close(discard=True)

    def _record(self) -> str:
        """Encode what comes; why it ended early, if it did."""
        # PyAV must come after the window: see `window`.
        from .live_info import live_info
        from .video_out import video_sink

        with video_sink(self.path, live_info(self._rate), self._fitting_wish()) as sink:
            for rendered in self._channel:
                sink.write(self._fitted(rendered))
                self.frames += 1
                if self.frames % CHECK_EVERY == 0 and shutil.disk_usage(self.path.parent).free < RESERVE_BYTES:
                    self._channel.close(discard=True)
                    return "the disk is nearly full: recording ended, "
        return ""

    def _fitting_wish(self) -> EncodingWish:
        """The wish was made for the run's own output, which may be of another kind."""
        from .encoding import container_of

        try:
            self._wish.check(container_of(self.path))
        except InputError:
            return EncodingWish()
        return self._wish

    def _fitted(self, rendered: Rendered) -> Rendered:
        """The frame timed from the recording's start, with a picture of the recording's size."""
        layered = rendered.layered
        if self._first_pts is None:
            self._first_pts, self._size_hw = layered.frame.pts, shape_hw(rendered)
        frame = replace(layered.frame, pts=layered.frame.pts - self._first_pts)
        picture = fitted(cast(Picture, rendered.picture), self._size_hw)
        return Rendered(replace(layered, sensed=replace(layered.sensed, frame=frame)), picture)


def shape_hw(rendered: Rendered) -> tuple[int, int]:
    return rendered.picture.shape[0], rendered.picture.shape[1]


def _said(error: Exception) -> str:
    if isinstance(error, OutputError):
        return f"recording lost: {error}".removesuffix("; it was not changed")
    return f"recording lost: {error}" if isinstance(error, PullfocusError) else f"recording lost: {error!r}"
