"""A film as parts that can be worked on apart: its frames by number, and what one look through it tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..kernels.errors import InputError
from .cuts import CutDetector
from .frame import Frame
from .video_in import VideoSource


@dataclass(frozen=True, slots=True)
class FilmIndex:
    """What must be known of a film before its parts are given out.

    cuts: the frames where another scene begins. whole: every packet could be decoded; what a decoder makes of a
    damaged one depends on where it began, so parts of such a film would differ from the whole.
    """

    frames: int
    cuts: tuple[int, ...] = ()
    whole: bool = True

    def parts(self, length: int) -> list[range]:
        """The frames cut into ranges of `length`, the last maybe shorter."""
        return [range(first, min(first + length, self.frames)) for first in range(0, self.frames, length)]

    def asked(self, net_every: int) -> list[int]:
        """The frames that the net is asked for: every N-th of each scene, as `NetDepth` counts them."""
        starts, ends = [0, *self.cuts], [*self.cuts, self.frames]
        return [number for start, end in zip(starts, ends) for number in range(start, end, net_every)]


def look_through(location: str) -> FilmIndex:
    """Decode a film once. Raises InputError."""
    detector, cuts, count = CutDetector(), list[int](), 0
    with VideoSource(location) as source:
        for frame in source.frames():
            if detector.is_cut(frame.picture8):
                cuts.append(frame.index)
            count += 1
        return FilmIndex(count, tuple(cuts), whole=not source.damage.notes())


class FilmPart:
    """Some frames of a film, as a source of their own."""

    live = False

    def __init__(self, source: VideoSource, wanted: Sequence[int]) -> None:
        """wanted: numbers of frames, rising."""
        self._source, self._wanted = source, wanted

    def frames(self) -> Iterator[Frame]:
        """Raises InputError when one is missing."""
        if not self._wanted:
            return
        wanted, last = frozenset(self._wanted), self._wanted[-1]
        for frame in self._source.frames(self._wanted[0]):
            if frame.index in wanted:
                yield frame
            if frame.index == last:
                return
        raise InputError(f"{self._source.location}: has no frame {last} any more; it was changed while it was read")
