"""Compiled engines on disk: built once for a net, a size, a GPU and a set of versions, then loaded.

    STORE/tensorrt-192x352-1f0c…/engine.bin       what the runtime serialized
                                /manifest.json    what it was made from, its length and its SHA-256

An entry counts only when it says that it was made from the very same, and its file is the one that it tells of.
All else (stale, cut short, another user's) is built again and never loaded. Nothing here is unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, TypeAlias, cast

from ..kernels.errors import OutputError
from .atomic import make_folder, write_text, written_aside
from .locks import lock

Facts: TypeAlias = Mapping[str, str]  # what an engine is made from, by name
FORMAT = 1
PLACE = "PULLFOCUS_ENGINES"  # the environment variable that moves the store
DIGEST_LETTERS = 16
WAIT_S = 0.2  # between two looks at another process's lock
OUR_NAME = re.compile(rf"tensorrt(-rtx)?-\d+x\d+-[0-9a-f]{{{DIGEST_LETTERS}}}")
FILE, MANIFEST, LOCK = "engine.bin", "manifest.json", "lock"


@dataclass(frozen=True, slots=True, repr=False)
class Manifest:
    """What is known of one engine. sha256, length: of its file; notes: of the build, for people."""

    facts: Facts
    sha256: str
    length: int
    notes: Facts

    def __repr__(self) -> str:
        return f"Manifest({dict(self.facts)}, {self.length / 1e6:.1f} MB)"

    def write(self, path: Path) -> None:
        """Raises OutputError."""
        content = {"format": FORMAT, "facts": dict(self.facts), "sha256": self.sha256, "length": self.length}
        write_text(path, json.dumps({**content, "notes": dict(self.notes)}, indent=1) + "\n")

    @staticmethod
    def read(path: Path) -> Manifest | None:
        """None for what is not a manifest of this version."""
        try:
            said: Any = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(said, dict) or cast(dict[str, Any], said).get("format") != FORMAT:
                return None
            facts, notes = ({str(k): str(v) for k, v in said[part].items()} for part in ("facts", "notes"))
            return Manifest(facts, str(said["sha256"]), int(said["length"]), notes)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class Stored:
    """An engine as it was built: its bytes, and the first letters of their SHA-256."""

    data: bytes
    mark: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder of the store. manifest: None where it has none that can be read."""

    folder: Path
    manifest: Manifest | None

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    def damage(self) -> str | None:
        """What is wrong with the files themselves; None: nothing."""
        file = self.folder / FILE
        if not _is_ours(self.folder):
            return "it belongs to another user, or others may write to it"
        if self.manifest is None and not file.exists():
            return "its build did not end"
        if self.manifest is None:
            return f"no {MANIFEST} of this version"
        if not file.is_file():
            return f"{FILE} is missing"
        if (size := file.stat().st_size) != self.manifest.length:
            return f"{FILE} has {size} bytes, expected {self.manifest.length}"
        if hashlib.sha256(file.read_bytes()).hexdigest() != self.manifest.sha256:
            return f"{FILE} was changed after it was written"
        return None


def default_place() -> Path:
    """Where engines are kept: $PULLFOCUS_ENGINES, else the user's cache folder."""
    moved = os.environ.get(PLACE)
    if moved:
        return Path(moved).expanduser()
    import platformdirs  # only here: images of data centres lack it

    return platformdirs.user_cache_path("pullfocus", appauthor=False) / "engines"


class Store:
    """The folder of all engines; it need not exist."""

    def __init__(self, place: Path | None = None) -> None:
        self.place = place or default_place()

    def find(self, facts: Facts) -> Stored | None:
        """The engine made from `facts`; None where it must be built: it is missing, stale or damaged."""
        entry = self._entry(self._folder(facts))
        manifest = entry.manifest
        if manifest is None or dict(manifest.facts) != dict(facts) or not _is_ours(entry.folder):
            return None
        try:
            data = (entry.folder / FILE).read_bytes()
        except OSError:
            return None
        # What was hashed is what is loaded: the file is read once.
        digest = hashlib.sha256(data).hexdigest()
        return Stored(data, digest[:8]) if digest == manifest.sha256 else None

    def put(self, facts: Facts, data: bytes, notes: Facts) -> None:
        """Keep an engine, whole or not at all. Raises OutputError."""
        folder = self._folder(facts)
        self._make(folder)
        with written_aside(folder / FILE) as aside:
            aside.write_bytes(data)
        # Last: until then the old manifest does not fit the new file, so the entry counts as damaged.
        Manifest(facts, hashlib.sha256(data).hexdigest(), len(data), notes).write(folder / MANIFEST)

    def drop(self, facts: Facts) -> None:
        """Forget an engine that its runtime does not take."""
        (self._folder(facts) / MANIFEST).unlink(missing_ok=True)

    def log_path(self, facts: Facts) -> Path:
        """Where a build of `facts` writes what its libraries say. Raises OutputError."""
        self._make(folder := self._folder(facts))
        return folder / "build.log"

    @contextmanager
    def locked(self, facts: Facts) -> Generator[None]:
        """Keep other builders of the same engine out; waits for one that is at it. Raises OutputError."""
        self._make(folder := self._folder(facts))
        while (held := lock(folder / LOCK)) is None:
            sleep(WAIT_S)
        try:
            for left in folder.glob(".*.part*"):  # of a builder that was killed
                left.unlink(missing_ok=True)
            yield
        finally:
            held.release()

    def entries(self) -> list[Entry]:
        """All engines that are there, by name; other folders are none of ours."""
        if not self.place.is_dir():
            return []
        folders = sorted(path for path in self.place.iterdir() if OUR_NAME.fullmatch(path.name) and path.is_dir())
        return [self._entry(folder) for folder in folders]

    def remove(self, entry: Entry) -> None:
        """Delete an entry. Raises OutputError."""
        (entry.folder / MANIFEST).unlink(missing_ok=True)  # first: half an entry must not count as one
        try:
            shutil.rmtree(entry.folder)
        except OSError as error:
            raise OutputError(f"{entry.folder}: cannot delete this folder ({error.strerror})") from error

    def _make(self, folder: Path) -> None:
        make_folder(self.place)
        if not folder.is_dir():
            make_folder(folder)
            folder.chmod(0o700)  # what is in there is given to native code

    def _folder(self, facts: Facts) -> Path:
        digest = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()[:DIGEST_LETTERS]
        return self.place / f"{facts['engine']}-{facts['net']}-{digest}"

    @staticmethod
    def _entry(folder: Path) -> Entry:
        return Entry(folder, Manifest.read(folder / MANIFEST))


def _is_ours(folder: Path) -> bool:
    if os.name != "posix":
        return True
    facts = folder.stat()
    return facts.st_uid == os.getuid() and not facts.st_mode & 0o022


def file_sha256(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
