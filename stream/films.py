"""What can be read as a film and written as one, told by its name: a video file, an animation, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ..engines.atomic import check_target
from ..kernels.errors import InputError
from .animation_out import ANIMATIONS
from .config import Settings
from .damage import Damage
from .encoding import CONTAINERS, container_of
from .encoding_wish import EncodingWish
from .film_input import open_input
from .focus_script import from_time_on
from .frame import Frame
from .span import Reading
from .stills import is_sequence, open_sequence, open_webp
from .stills_out import check_sequence_target, folder_of_its_own, is_numbered
from .video_in import VideoSource
from .video_info import VideoInfo

_UNWISHED = {
    ".gif": "a GIF, which is always written with 256 colours a frame",
    ".webp": "an animated WebP, which is always written in quality 90",
}
SUFFIX = "_refocused"  # of a result that is to lie in a folder


class Film(Protocol):
    """A source of frames from files."""

    info: VideoInfo

    @property
    def live(self) -> bool: ...
    @property
    def film_start_s(self) -> float: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def damage(self) -> Damage: ...
    def frames(self, first: int = 0) -> Iterator[Frame]: ...


class FilmRest:
    """The frames of a film from one on, as a source."""

    live = False

    def __init__(self, film: Film, first: int) -> None:
        self._film, self._first = film, first

    def frames(self) -> Iterator[Frame]:
        return self._film.frames(self._first)


def open_film(location: str, part: Reading | None = None) -> AbstractContextManager[Film]:
    """A video file, an animation, or a sequence of pictures. Raises InputError."""
    part = part or Reading()
    span, rate = part.span, part.rate
    if is_sequence(location):
        return open_sequence(location, rate, span)
    if rate is not None:
        raise InputError(f"--rate is for sequences of pictures; {location} says itself when each picture is shown")
    if location.lower().endswith(".webp"):
        return open_webp(Path(location), span)
    return VideoSource(location, span=span, strict=part.strict, decode=part.decode)


def film_target(location: str, target: Path) -> Path:
    """The file to write: `target`, or in the folder `target` one named after the input, of the same kind if it can."""
    if not target.is_dir():
        return target
    source = Path(location)
    name = source.name if source.is_dir() or not is_sequence(location) else source.absolute().parent.name
    stem, ending = (name, ".mp4") if is_sequence(location) else (source.stem, source.suffix)
    writable = ending.lower() in CONTAINERS or ending.lower() in ANIMATIONS
    return target / f"{stem}{SUFFIX}{ending if writable else '.mp4'}"


def check_film_target(target: Path, overwrite: bool) -> None:
    """Raises InputError for a name that cannot be written."""
    if is_numbered(target):
        check_sequence_target(target, overwrite)
        return
    endings = [*CONTAINERS, *ANIMATIONS]
    if target.suffix.lower() not in endings:
        raise InputError(
            f"{target}: got the ending {target.suffix!r}, expected {', '.join(endings)}, or pictures as in out/%05d.png"
        )
    check_target(target, overwrite)


def check_result(target: Path, result: Path, overwrite: bool) -> None:
    """The same for one of the results of a job that makes `target`."""
    if result == result_of(target):
        check_film_target(target, overwrite)
        return
    check_target(result, overwrite)
    if is_numbered(target) and result.resolve().is_relative_to(target.parent.resolve()):
        raise InputError(f"{result} lies in the folder of the numbered pictures, which is replaced; choose another")


def is_video(target: Path) -> bool:
    """Whether a name asks for a video file, rather than for an animation or pictures."""
    return target.suffix.lower() in CONTAINERS


def check_wish(target: Path, wish: EncodingWish) -> None:
    """Raises InputError for a wish that a result of this name cannot be written by."""
    if is_video(target):
        wish.check(container_of(target))
    elif wish.given:
        what = _UNWISHED.get(target.suffix.lower(), "numbered pictures, which are written as their ending says")
        raise InputError(
            f"{', '.join(wish.given)}: {target} is {what}; leave it out, or name a video ({', '.join(CONTAINERS)})"
        )


def result_of(target: Path) -> Path:
    """What appears under its name when all is done: the file, or the folder of numbered pictures. Raises InputError."""
    return folder_of_its_own(target) if is_numbered(target) else target


def pattern_of(target: Path) -> str:
    """How numbered pictures are called; nothing for other results."""
    return target.name if is_numbered(target) else ""


def left_out(target: Path, location: str, film: Film) -> list[str]:
    """Notes on what a file of pictures only has no room for."""
    if not isinstance(film, VideoSource):
        return []
    with open_input(location) as container:
        return [
            f"left out: {stream.type} stream {stream.index}, {target.suffix[1:]} holds pictures only"
            for stream in container.streams
            if stream.type != "video"
        ]


def script_for(settings: Settings, film: Film) -> Settings:
    """The settings with their focus script as it is for the part of the film that is read."""
    cut = film.info.cut
    if settings.script is None or cut is None:
        return settings
    skipped_s = max(float(cut.start_s) - film.film_start_s, 0.0)
    return replace(settings, script=from_time_on(settings.script, skipped_s, float(film.info.rate)))
