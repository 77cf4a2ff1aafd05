"""Video files and network streams through PyAV: upright RGB frames with exact timestamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from time import monotonic
from types import TracebackType
from typing import cast

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from ..kernels.api import AnyPicture
from ..kernels.errors import InputError
from .colour import ColourConverter, ColourTags, bits_of, has_alpha
from .damage import Damage
from .decoder_planes import planes_of, system_of
from .decoding import Decoder
from .film_input import FilmInput, open_input
from .frame import Frame
from .gpu_decoding import CardDecoding
from .hdr import HdrMetadata
from .orientation import Orientation, parse_matrix
from .span import Cut, DecodeChoice, Span
from .urls import without_secrets
from .video_info import VideoInfo

LONGEST_BELIEVABLE_S = 48 * 3600.0  # fragmented files may claim days
# A film this far in is sought, where its index can be trusted; anything else is read from its beginning.
SEEK_FROM_S, SEEK_MARGIN_S = 10, 1
SEEKABLE = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")


class VideoSource:
    """A video file (`live=False`) or a network stream (`live=True`)."""

    def __init__(
        self,
        location: str,
        live: bool = False,
        *,
        span: Span | None = None,
        strict: bool = False,
        opened: Callable[[str], InputContainer] = open_input,
        decode: DecodeChoice = "auto",
    ) -> None:
        """Opens the input and decodes up to the first frame wanted. Raises InputError.

        span: only its frames are given, with their times in the film. strict: the first damage is an InputError.
        opened: opens what `location` names. decode: "cuda" = on an NVIDIA GPU, where and as long as it can.
        """
        self.location, self.live, self._span = without_secrets(location), live, span or Span()
        self._for_card = False
        self._end_s: Fraction | None = None  # of the film, where that is reached
        self._card = CardDecoding(decode == "cuda")
        self._input = FilmInput(location, live, strict, opened, self._card)
        try:
            self._go_to_start()
            self.info = self._describe(self._first[0])
        except BaseException:
            self._input.close()
            raise
        self._converter = ColourConverter(self.info.tags)

    def _go_to_start(self) -> None:
        """Find the first frame of the span: through the index, or by decoding all that comes before."""
        start_s = self._span.start_s
        if start_s is not None and start_s > SEEK_FROM_S and self._container.format.name in SEEKABLE and not self.live:
            self._frames = self._input.frames(int((start_s - SEEK_MARGIN_S) * av.time_base))
            first = next(self._frames, None)
            if first is not None and first[1] * self._decoder.time_base <= start_s:
                self._first = self._first_of_span(first)
                return
            self._input.open_again()
        self._frames = self._input.frames()
        self._first = self._first_of_span(next(self._frames, None))

    def _first_of_span(self, frame: tuple[VideoFrame, int] | None) -> tuple[VideoFrame, int]:
        """The first frame that is wanted, beginning with `frame`. Raises InputError where there is none."""
        if frame is None:
            raise InputError(f"{self.location}: no frame can be decoded; the video is empty or damaged")
        unit, span = self._decoder.time_base, self._span
        begin_s, end_s = frame[1] * unit, frame[1] * unit
        while frame is not None and span.start_s is not None and frame[1] * unit < span.start_s:
            end_s = (frame[1] + (frame[0].duration or 0)) * unit
            frame = next(self._frames, None)
        if frame is None:
            raise InputError(
                f"{span.option} {float(span.start_s or 0):g}: {self.location} ends at {float(end_s):.3f} s"
            )
        if span.end_s is not None and frame[1] * unit >= span.end_s:
            after = "begins" if begin_s >= span.end_s else "has no frame before --end; the next is"
            raise InputError(f"--end {float(span.end_s):g}: {self.location} {after} at {float(frame[1] * unit):.3f} s")
        return frame

    def frames(self, first: int = 0) -> Iterator[Frame]:
        """From the frame of number `first` on; those before it are decoded, for the times of all to be the same."""
        for index, (decoded, pts) in enumerate(self._wanted()):
            self._decoder.check(decoded, pts)
            if index >= first:
                yield self._frame(decoded, index, pts)

    def _frame(self, decoded: VideoFrame, index: int, pts: int) -> Frame:
        info = self.info
        planes = planes_of(decoded, info) if self._for_card else None
        picture, alpha = self._converter.to_rgb(decoded, info.size_hw) if planes is None else (None, None)
        return Frame(
            cast(AnyPicture, planes) if picture is None else info.orientation.upright(picture),
            index,
            pts,
            info.time_base,
            decoded.duration or 0,
            monotonic(),
            info.tags.light,
            None if alpha is None else info.orientation.upright(alpha),
        )

    def _wanted(self) -> Iterator[tuple[VideoFrame, int]]:
        """Frames and timestamps up to the last wanted."""
        yield self._first
        last, unit = self._first, self._decoder.time_base
        for decoded, pts in self._frames:
            if self._span.end_s is not None and pts * unit >= self._span.end_s:
                return
            last = decoded, pts
            yield last
        self._end_s = last[1] * unit + ((last[0].duration or 0) * unit or 1 / self._decoder.rate)

    def _describe(self, first: VideoFrame) -> VideoInfo:
        stream = self._decoder.stream
        try:
            tags = ColourTags.of(first)
        except InputError as error:
            raise InputError(f"{self.location}: {error}") from error
        side_data = first.side_data.get("DISPLAYMATRIX")
        matrix = parse_matrix(bytes(side_data)) if side_data is not None else None
        return VideoInfo(
            size_hw=(first.height, first.width),
            rate=self._decoder.rate,
            time_base=self._decoder.time_base,
            pix_fmt=first.format.name,
            bits=bits_of(first),
            tags=tags,
            matrix=matrix,
            orientation=Orientation.from_matrix(matrix) if matrix else Orientation(),
            sample_aspect=stream.sample_aspect_ratio,
            frames=self._frame_count(),
            codec=stream.codec_context.name,
            codec_tag=stream.codec_context.codec_tag,
            alpha=has_alpha(first),
            hdr=HdrMetadata.of(first),
            metadata=self._container.metadata,
            cut=self._cut(),
        )

    def _cut(self) -> Cut | None:
        span = self._span
        if span == Span():
            return None
        return Cut(self._first[1] * self._decoder.time_base if span.start_s is not None else Fraction(0), span.end_s)

    def _frame_count(self) -> int | None:
        """The number of frames for a progress bar, None where the file does not say or cannot be believed."""
        stream = self._decoder.stream
        if self._span != Span():
            return None
        if stream.frames:
            return stream.frames
        duration_s = (self._container.duration or 0) / av.time_base
        if not 0 < duration_s < LONGEST_BELIEVABLE_S or not stream.average_rate:
            return None
        return round(duration_s * stream.average_rate)

    @property
    def _decoder(self) -> Decoder:
        return self._input.decoder

    @property
    def _container(self) -> InputContainer:
        return self._input.container

    @property
    def for_card(self) -> bool:
        """As of `GivesPlanes`. Not while another thread reads."""
        return self._for_card

    @for_card.setter
    def for_card(self, wanted: bool) -> None:
        self._for_card = wanted
        self._card.keeps_hw = self.info.size_hw if wanted and system_of(self.info) is not None else None

    @property
    def film_start_s(self) -> float:
        """When the film's first frame is shown, as far as its container says."""
        return float((self._decoder.stream.start_time or 0) * self._decoder.time_base)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Of the upright frames."""
        return self.info.upright_hw

    @property
    def damage(self) -> Damage:
        """What was broken in what has been read so far."""
        return self._decoder.damage

    @property
    def waited_s(self) -> float:
        """How long reading has waited for data, in all."""
        return self._decoder.waited_s

    def hurry(self, hurries: bool) -> None:
        """Give key frames only, or all again."""
        self._decoder.hurry(hurries)

    @property
    def notes(self) -> list[str]:
        """What the user should know about the input, once it has been read."""
        return [*self.damage.notes(), *self.other_notes]

    @property
    def other_notes(self) -> list[str]:
        """All but those on damage."""
        woven = self._decoder.deinterlacer.count
        more = [f"interlaced frames of the input that were deinterlaced: {woven}"] if woven else []
        return more if self._end_s is None else [*more, *self._span.notes(self._end_s)]

    def close(self) -> None:
        self._input.close()

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PlanesOfVideo:
    """`GivesPlanes`, for an input whose pictures are those of a `VideoSource`."""

    _video: VideoSource

    @property
    def for_card(self) -> bool:
        return self._video.for_card

    @for_card.setter
    def for_card(self, wanted: bool) -> None:
        self._video.for_card = wanted
