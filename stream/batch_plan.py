"""Which films a batch is about, and where each result goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..kernels.errors import InputError
from .animation_out import ANIMATIONS
from .encoding import CONTAINERS
from .stills import is_animated_webp

# fmt: off
ENDINGS = {
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264", ".hevc", ".ivf", ".m2ts", ".m2v",
    ".m4v", ".mj2", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm",
    ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m",
}
# fmt: on
OTHERWISE = ".mp4"  # where a film's own ending cannot be written


@dataclass(frozen=True, slots=True)
class Task:
    """One film of a batch."""

    source: Path
    target: Path


@dataclass(frozen=True, slots=True)
class _Found:
    source: Path
    place: Path  # below the folder that was named, the film's own name included


def plan(inputs: Sequence[str], folder: Path, recursive: bool) -> list[Task]:
    """The films that `inputs` (files, folders, globs) stand for, each once, with its target below `folder`.

    Raises InputError when there are none, or when a result would take the name of another or of an input.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; expected a folder for the results")
    results = folder.resolve()
    tasks = dict[Path, Task]()  # by where the film really is
    for text in inputs:
        for found in _find(text, recursive):
            source = found.source.resolve()
            named = found.source == Path(text)
            if named or not source.is_relative_to(results) or _lies_within(text, results):
                tasks.setdefault(source, Task(found.source, folder / _written(found.place)))
    if not tasks:
        more = "" if recursive else "; --recursive looks into folders of folders"
        raise InputError(f"no video found in {', '.join(inputs)}{more}")
    _check(list(tasks.values()))
    return list(tasks.values())


def _lies_within(text: str, results: Path) -> bool:
    """Whether what was named is itself the folder of results, or a part of it: then its films are meant."""
    return Path(_fixed_part(text)).resolve().is_relative_to(results)


def _find(text: str, recursive: bool) -> Iterator[_Found]:
    path = Path(text)
    if path.is_dir():
        yield from (_Found(film, film.relative_to(path)) for film in _films_in(path, recursive))
    elif path.exists():
        yield _Found(path, Path(path.name))
    elif glob.has_magic(text):
        root, wanted = Path(_fixed_part(text)), Path(text).suffix.lower()
        for name in sorted(glob.glob(text, recursive=True)):  # noqa: PTH207 (Path.glob takes no absolute pattern)
            match = Path(name)
            if match.is_file() and (_is_film(match) or match.suffix.lower() == wanted):
                yield _Found(match, match.relative_to(root))
    else:
        raise InputError(f"{text} does not exist")


def _films_in(folder: Path, recursive: bool) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        yield from (path for path in (Path(here, name) for name in sorted(names)) if _is_film(path))


def _is_film(path: Path) -> bool:
    # What begins with a dot is hidden: also results that are being written.
    return not path.name.startswith(".") and (path.suffix.lower() in ENDINGS or is_animated_webp(path))


def _fixed_part(pattern: str) -> str:
    """The folders of a glob before its first wildcard: the tree below them is kept."""
    parts = Path(pattern).parts
    count = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return str(Path(*parts[:count]))


def _written(place: Path) -> Path:
    return place if place.suffix.lower() in (*CONTAINERS, *ANIMATIONS) else place.with_suffix(OTHERWISE)


def _check(tasks: list[Task]) -> None:
    sources = {task.source.resolve() for task in tasks}
    taken = dict[Path, Task]()
    for task in tasks:
        target = task.target.resolve()
        if target in sources:
            raise InputError(f"{task.target} is an input and would be the result of {task.source}; name another folder")
        if target in taken:
            other = taken[target].source
            raise InputError(
                f"{other} and {task.source} would both become {task.target}; rename one or run two batches"
            )
        taken[target] = task
