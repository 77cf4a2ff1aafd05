"""Films that are not video files: numbered pictures, folders of pictures, animated WebP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import cast

import cv2
import numpy as np

from ..kernels.api import Picture
from ..kernels.errors import InputError
from .clock import MILLISECOND
from .colour import ColourTags
from .decoding import Damage
from .frame import Frame
from .pictures import ENDINGS, list_pictures
from .span import Cut, Span
from .video_info import VideoInfo

DEFAULT_RATE = 25.0
FASTEST_RATE = 1000.0
NUMBERED = re.compile(r"%(0\d+)?d")


@dataclass(frozen=True, slots=True)
class Still:
    """One picture of a film. name: for errors; read: gives its pixels. Times in units of the film's time base."""

    name: str
    pts: int
    duration: int
    read: Callable[[], Picture]


class StillsSource:
    """A film of still pictures, read one by one."""

    live = False
    film_start_s = 0.0

    def __init__(
        self, location: str, stills: Sequence[Still], time_base: Fraction, rate: Fraction, span: Span | None = None
    ) -> None:
        """Reads the first picture of the span. Raises InputError."""
        self.location = location
        self._stills = _within(location, stills, time_base, span or Span())
        self._first = self._stills[0].read()
        first = self._stills[0].pts * time_base
        cut = Cut(first if span.start_s is not None else Fraction(0), span.end_s) if span is not None else None
        self.info = VideoInfo(
            size_hw=(self._first.shape[0], self._first.shape[1]),
            rate=rate,
            time_base=time_base,
            pix_fmt="rgb24",
            tags=ColourTags(),
            frames=len(self._stills),
            cut=cut,
        )
        self.damage = Damage()
        self.notes: list[str] = []

    def frames(self, first: int = 0) -> Iterator[Frame]:
        """From the frame of number `first` on."""
        height, width = self.info.size_hw
        for index, still in enumerate(self._stills[first:], first):
            picture = self._first if index == 0 else still.read()
            if picture.shape != self._first.shape:
                got = f"{picture.shape[1]}×{picture.shape[0]}"
                raise InputError(
                    f"{still.name}: got {got} pixels, expected {width}×{height} as in {self._stills[0].name}"
                )
            yield Frame(picture, index, still.pts, self.info.time_base, still.duration, monotonic())

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
    stills = [Still(str(p), i, 1, lambda path=p: _read(path)) for i, p in enumerate(_files(location))]
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


def _read(path: Path) -> Picture:
    try:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise InputError(f"{path}: not a readable picture ({error.err})") from error
    if picture is None:
        raise InputError(f"{path}: not a readable picture; expected {', '.join(ENDINGS)}")
    return cast(Picture, picture)


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
        Still(f"{path} (frame {i})", starts[i], durations[i], lambda frame=frame: _rgb(frame))
        for i, frame in enumerate(animation.frames)
    ]
    rate = Fraction(1000 * len(durations), starts[-1]).limit_denominator(1001)
    return StillsSource(str(path), stills, MILLISECOND, rate, span)


def _rgb(frame: np.ndarray) -> Picture:
    way = cv2.COLOR_BGRA2RGB if frame.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cast(Picture, cv2.cvtColor(frame, way))
