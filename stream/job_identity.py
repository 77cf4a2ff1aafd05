"""Which job this is: a later run may go on with it only when it would do the very same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np

from .config import Settings
from .state import State
from .urls import is_url, without_secrets

HASHED_BYTES = 1 << 20  # at either end of a file


def job_identity(
    inputs: Mapping[str, Path | str | None], settings: Settings, engine: str, more: Mapping[str, object]
) -> State:
    """What decides the frames of a job, as strings by name.

    inputs: the files that are read; engine: what gives the depth; more: what `settings` do not say.
    """
    versions = [f"{name} {version(name)}" for name in ("pullfocus", "av")]
    return {
        **{name: fingerprint(place) for name, place in inputs.items()},
        "program": ", ".join([*versions, f"OpenCV {cv2.__version__}", f"NumPy {np.__version__}", _libraries()]),
        "engine": engine,
        **{f"setting of {part.name}": repr(getattr(settings, part.name)) for part in fields(settings)},
        **{name: repr(value) for name, value in more.items()},
    }


def _libraries() -> str:
    return " ".join(".".join(map(str, number)) for number in av.library_versions.values())


def fingerprint(place: Path | str | None) -> str:
    """Tells a file from others and from what it may become: path, size, time, and a hash of its ends.

    Of what is no file (None, the name of a shipped model) its text, of a URL a hash of it: it may hold a password.
    """
    if isinstance(place, str) and is_url(place):
        return f"{without_secrets(place)} {hashlib.sha256(place.encode()).hexdigest()}"
    path = Path(place) if place is not None else None
    if path is None or not path.is_file():
        return str(place)
    facts = path.stat()
    return f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns} {_hash(path, facts.st_size)}"


def _hash(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(HASHED_BYTES))
        if size > HASHED_BYTES:
            file.seek(-min(size - HASHED_BYTES, HASHED_BYTES), os.SEEK_END)
            digest.update(file.read(HASHED_BYTES))
    return digest.hexdigest()


def differences(then: Any, now: State) -> list[str]:
    """The names under which two identities differ."""
    before = cast(State, then) if isinstance(then, dict) else {}
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]
