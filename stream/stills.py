"""Films that are not video files: numbered pictures, folders of pictures, animated WebP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from time import monotonic
from types import TracebackType

import cv2
import numpy as np

from ..kernels.api import AnyPicture
from ..kernels.errors import InputError
from .clock import MILLISECOND
from .colour import ColourTags
from .damage import Damage
from .frame import Alpha, Frame
from .pictures import ENDINGS, list_pictures, read_whole, way_to_read, with_alpha_apart
from .span import Cut, Span
from .video_info import VideoInfo

DEFAULT_RATE = 25.0
FASTEST_RATE = 1000.0
LOST_ALPHA = "alpha of the pictures is not kept: the first of them has none"
NUMBERED = re.compile(r"%(0\d+)?d")


@dataclass(frozen=True, slots=True)
class Still:
    """One picture of a film. Times in units of the film's time base.

    name: for errors. read: gives its pixels, and its alpha if it has that.
    """

    name: str
    pts: int
    duration: int
    read: Callable[[], tuple[AnyPicture, Alpha | None]]


class StillsSource:
    """A film of still pictures, read one by one."""

    live = False
    film_start_s = 0.0

    def __init__(
        self, location: str, stills: Sequence[Still], time_base: Fraction, rate: Fraction, span: Span | None = None
    ) -> None:
        """Reads the first picture of the span. Raises InputError."""
        self.location = location
        span = span or Span()
        self._stills = _within(location, stills, time_base, span)
        self._first, alpha = self._stills[0].read()
        first = self._stills[0].pts * time_base
        cut = None if span == Span() else Cut(first if span.start_s is not None else Fraction(0), span.end_s)
        self.info = VideoInfo(
            size_hw=(self._first.shape[0], self._first.shape[1]),
            rate=rate,
            time_base=time_base,
            pix_fmt="rgb24",
            tags=ColourTags(),
            bits=8 * self._first.itemsize,
            frames=len(self._stills),
            alpha=alpha is not None,
            cut=cut,
        )
        self.damage = Damage()
        self.notes = span.notes((stills[-1].pts + stills[-1].duration) * time_base)

    def frames(self, first: int = 0) -> Iterator[Frame]:
        """From the frame of number `first` on."""
        for index, still in enumerate(self._stills[first:], first):
            picture, alpha = still.read()
            self._check(still, picture)
            alpha = self._kept(alpha)
            yield Frame(picture, index, still.pts, self.info.time_base, still.duration, monotonic(), alpha=alpha)

    def _kept(self, alpha: Alpha | None) -> Alpha | None:
        """What is opaque throughout has none."""
        if alpha is None or alpha.min() == np.iinfo(alpha.dtype).max:
            return None
        if not self.info.alpha and LOST_ALPHA not in self.notes:
            self.notes.append(LOST_ALPHA)
        return alpha if self.info.alpha else None

    def _check(self, still: Still, picture: AnyPicture) -> None:
        """Raises InputError for a picture that is not as the first one."""
        if picture.shape == self._first.shape and picture.dtype == self._first.dtype:
            return
        got, expected = (
            f"{each.shape[1]}×{each.shape[0]} pixels of {8 * each.itemsize} bits" for each in (picture, self._first)
        )
        raise InputError(f"{still.name}: got {got}, expected {expected} as in {self._stills[0].name}")

    @property
    def size_hw(self) -> tuple[int, int]:
        """Of the frames."""
        return self.info.size_hw

    def __enter__(self) -> StillsSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def _within(location: str, stills: Sequence[Still], unit: Fraction, span: Span) -> list[Still]:
    kept = [
        still
        for still in stills
        if (span.start_s is None or still.pts * unit >= span.start_s)
        and (span.end_s is None or still.pts * unit < span.end_s)
    ]
    if not kept:
        end_s = float((stills[-1].pts + stills[-1].duration) * unit)
        start = float(span.start_s or 0)
        raise InputError(f"{span.option} {start:g}: {location} ends at {end_s:.3f} s")
    return kept


def is_sequence(location: str) -> bool:
    """Whether a name means several pictures: `%05d`, a glob, or a folder."""
    path = Path(location)
    if path.is_dir():
        return True
    return not path.exists() and (NUMBERED.search(path.name) is not None or any(c in path.name for c in "*?["))


def open_sequence(location: str, rate: float | None, span: Span | None = None) -> StillsSource:
    """Pictures on disk as a film of `rate` pictures a second. Raises InputError."""
    rate = DEFAULT_RATE if rate is None else rate
    if not 0 < rate <= FASTEST_RATE:
        raise InputError(f"--rate: got {rate:g}, expected more than 0, up to {FASTEST_RATE:g}")
    exact = Fraction(rate).limit_denominator(1001)
    files = _files(location)
    flags = way_to_read(files[0])
    stills = [Still(str(p), i, 1, lambda path=p: read_whole(path, flags)) for i, p in enumerate(files)]
    return StillsSource(location, stills, 1 / exact, exact, span)


def sequence_facts(location: str) -> str:
    """Tells a sequence from what it may become: a hash of its files' names, sizes and times; "" for other films."""
    if not is_sequence(location):
        return ""
    facts = [(path.name, path.stat()) for path in _files(location)]
    text = "\n".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in facts)
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _files(location: str) -> list[Path]:
    path = Path(location)
    if path.is_dir():
        if not any(p.suffix.lower() in ENDINGS for p in path.iterdir()):
            raise InputError(
                f"{location} is a folder without pictures; expected a film, or pictures ({', '.join(ENDINGS)})"
            )
        return sorted(list_pictures(path), key=natural)
    if not path.parent.is_dir():
        raise InputError(f"{location}: the folder {path.parent} does not exist")
    if NUMBERED.search(path.name) is not None:
        return _numbered(path)
    found = sorted((p for p in path.parent.glob(path.name) if p.suffix.lower() in ENDINGS), key=natural)
    if not found:
        raise InputError(f"{location} matches no pictures; expected files ending in {', '.join(ENDINGS)}")
    return found


def _numbered(pattern: Path) -> list[Path]:
    before, digits, after = name_parts(pattern.name)
    width = rf"\d{{{digits},}}" if digits else r"\d+"
    name = re.compile(f"{re.escape(before)}({width}){re.escape(after)}")
    found = {int(m[1]): p for p in pattern.parent.iterdir() if (m := name.fullmatch(p.name)) is not None}
    if not found:
        raise InputError(f"{pattern} matches no pictures")
    for number in range(min(found), max(found)):
        if number not in found:
            raise InputError(
                f"{numbered_name(pattern, number)} is missing; the pictures go on to {found[max(found)].name}"
            )
    return [found[number] for number in sorted(found)]


def numbered_name(pattern: Path, number: int) -> Path:
    """The file of a number; pattern: as `frames/%05d.png`."""
    before, digits, after = name_parts(pattern.name)
    return pattern.with_name(f"{before}{number:0{digits or 1}d}{after}")


def name_parts(name: str) -> tuple[str, int, str]:
    """What stands before the number of a pattern, its least digits, what stands after."""
    match = NUMBERED.search(name)
    assert match is not None
    return name[: match.start()], int(match[1] or 0), name[match.end() :]


def natural(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts `9` before `10`."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def is_animated_webp(path: Path) -> bool:
    """Whether a file is a WebP of several pictures: its extended header says so."""
    head = b""
    if path.suffix.lower() == ".webp":
        with suppress(OSError), path.open("rb") as file:
            head = file.read(21)
    return head[8:16] == b"WEBPVP8X" and head[20:] != b"" and bool(head[20] & 0x02)


def open_webp(path: Path, span: Span | None = None) -> StillsSource:
    """An animated WebP, which FFmpeg cannot read. It is held in memory. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    done, animation = cv2.imreadanimation(str(path))
    if not done or not len(animation.frames):
        raise InputError(f"{path}: not a readable WebP animation")
    durations = [max(int(d), 1) for d in animation.durations]
    starts = np.cumsum([0, *durations]).tolist()
    stills = [
        Still(f"{path} (frame {i})", starts[i], durations[i], lambda frame=frame: with_alpha_apart(frame))
        for i, frame in enumerate(animation.frames)
    ]
    rate = Fraction(1000 * len(durations), starts[-1]).limit_denominator(1001)
    return StillsSource(str(path), stills, MILLISECOND, rate, span)
