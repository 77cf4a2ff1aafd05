"""A film's container and its decoder: on the CPU, or on a GPU for as long as that can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from ..kernels.errors import InputError
from .decoding import Decoder, reason
from .gpu_decoding import CardDecoding, CardLostError, reason_of
from .labels import main_video
from .urls import is_url, without_secrets

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 10.0


def open_input(location: str, accelerator: HWAccel | None = None) -> InputContainer:
    """Open a film: a file or a URL. Raises InputError in one line.

    accelerator: what decodes it. With one, FFmpegError and OSError pass through.
    """
    if not is_url(location) and not Path(location).is_file():
        what = "is a folder; expected a video file" if Path(location).is_dir() else "does not exist"
        raise InputError(f"{location} {what}")
    # An absolute path keeps names such as "-a.mp4" or "a:b.mp4" from being read as options or protocols.
    name = location if is_url(location) else f"file:{Path(location).absolute()}"
    try:
        timeout = (OPEN_TIMEOUT_S, READ_TIMEOUT_S) if is_url(location) else None
        return av.open(name, "r", timeout=timeout, metadata_errors="replace", hwaccel=accelerator)
    except (FFmpegError, OSError) as error:
        if accelerator is not None:
            raise
        raise InputError(f"{without_secrets(location)}: not a readable video ({reason(error)})") from error


class FilmInput:
    """What is open of a film. One thread reads it; `close` may be another's."""

    def __init__(
        self, location: str, live: bool, strict: bool, opened: Callable[[str], InputContainer], card: CardDecoding
    ) -> None:
        """opened: opens what `location` names, for the CPU. strict: as of `Decoder`. Raises InputError."""
        self._location, self._live, self._strict, self._open, self._card = location, live, strict, opened, card
        self._shown = without_secrets(location)
        self.decoder = self._opened()

    def frames(self, sought: int | None = None) -> Iterator[tuple[VideoFrame, int]]:
        """The decoder's frames, from where `sought` (as `InputContainer.seek` takes it) leads.

        Where the GPU fails, the rest comes from the CPU, with the times that it would have given.
        """
        given = 0
        self._seek(sought)
        try:
            for frame in self.decoder.frames():
                yield frame
                given += 1
            return
        except CardLostError as lost:
            self._card.give_up(f"{lost}, after {given} frames" if given else str(lost))
        self.open_again()
        self._seek(sought)
        yield from islice(self.decoder.frames(), given, None)

    def open_again(self) -> None:
        """From its beginning. Raises InputError."""
        self.decoder.close()
        self.decoder = self._opened()

    def close(self) -> None:
        self.decoder.close()

    def _seek(self, sought: int | None) -> None:
        if sought is not None:
            self.container.seek(sought)

    def _opened(self) -> Decoder:
        why = ""
        for accelerator in self._card.accelerators():
            try:
                return self._opened_on_card(accelerator)
            except CardLostError as lost:
                why = str(lost)
        if why:
            self._card.give_up(why)
        self.container = self._open(self._location)
        stream = main_video(self.container.streams.video)
        if stream is None:
            kinds = ", ".join(sorted({stream.type for stream in self.container.streams})) or "nothing"
            self.container.close()
            raise InputError(f"{self._shown}: holds no video, only {kinds}")
        # Threads that share out whole frames keep one back each, which a stream without end would be late by.
        stream.thread_type = "SLICE" if self._live and not self.container.duration else "AUTO"
        return Decoder(self._shown, self.container, stream, self._strict)

    def _opened_on_card(self, accelerator: HWAccel) -> Decoder:
        """Raises CardLostError where the GPU does not take it; what is wrong with the film itself the CPU says."""
        try:
            self.container = open_input(self._location, accelerator)
        except (FFmpegError, OSError) as error:
            raise CardLostError(reason_of(error)) from error
        stream = main_video(self.container.streams.video)
        try:
            if stream is None:
                raise CardLostError("it holds no video")
            self._card.check(stream)
        except CardLostError:
            self.container.close()
            raise
        return Decoder(self._shown, self.container, stream, self._strict, self._card)
