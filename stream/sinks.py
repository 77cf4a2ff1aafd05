"""Small sinks: nothing, and several at once."""

from __future__ import annotations

from collections.abc import Sequence

from .frame import Rendered
from .pipeline import Sink


class NullSink:
    """Takes frames and forgets them."""

    def write(self, _rendered: object, /) -> bool:
        return True


class TeeSink:
    """Hands each frame to several sinks, in order."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def write(self, rendered: Rendered, /) -> bool:
        answers = [sink.write(rendered) for sink in self._sinks]  # all of them, also after a False
        return all(answers)
