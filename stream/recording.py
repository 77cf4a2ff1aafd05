"""A live recording: whatever ends it, what was recorded until then is kept, because it cannot be made again.

Only an error of the recording itself (a full disk, a frame that cannot be encoded) loses it. A source may change its
size; the film keeps that of its first picture, and others are fitted into it.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from ..engines.interrupts import Interrupts
from .fitting import fitted
from .frame import Rendered
from .pipeline import Sink


class Recording:
    """A file sink that finishes its file also after Ctrl-C or an error from elsewhere."""

    def __init__(self, path: Path, file: AbstractContextManager[Sink]) -> None:
        self._path, self._file = path, file
        self._sink: Sink | None = None
        self._size_hw: tuple[int, int] | None = None
        self._frames = 0
        self._broken = False

    def __enter__(self) -> Recording:
        self._sink = self._file.__enter__()
        return self

    def write(self, rendered: Rendered) -> bool:
        """Encode one frame."""
        assert self._sink is not None
        self._broken = True
        height, width = rendered.picture.shape[:2]
        self._size_hw = self._size_hw or (height, width)
        more = self._sink.write(replace(rendered, picture=fitted(rendered.picture, self._size_hw)))
        self._frames += 1
        self._broken = False
        return more

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with Interrupts() as interrupts:  # an encoder that is not finished leaves a damaged end
            keep = self._frames > 0 and not self._broken and error is not None
            self._file.__exit__(*((None, None, None) if keep else (kind, error, trace)))
            if keep:
                print(f"pullfocus: kept {self._path}: {self._frames} frames", file=sys.stderr)
            elif error is None:
                interrupts.check()
