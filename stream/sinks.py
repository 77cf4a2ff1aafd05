"""The sink that is none."""

from __future__ import annotations


class NullSink:
    """Takes frames and forgets them."""

    def write(self, _rendered: object, /) -> bool:
        return True
