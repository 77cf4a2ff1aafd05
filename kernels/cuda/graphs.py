"""Calls of a part of a frame, kept and handed to the GPU at once: from the second time on as a CUDA graph.

A frame is some seventy kernels; to launch them one by one costs the host time for each, a graph once for all of them.
What changes from frame to frame is arrays alone: those a graph reads stay where they are, and a frame's own are copied
there; its results are copied out, for the next frame will overwrite them. Two frames that differ in more (another size,
planes on other grids) are different graphs. What has come once only is called as it is, for it may never come again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from .launch import DeviceArray, Launcher
from .program import Outline, run
from .sketch import Kind

MOST_GRAPHS = 16  # the oldest is let go of; while the focus moves through the layers some are in turn
MOST_REMEMBERED = 256


class Capturing(Launcher, Protocol):
    """A launcher that can record."""

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        """What `work` launches, not run, but as one piece that runs when called, in the caller's queue.

        Raises RuntimeError or MemoryError.
        """
        ...

    def forget(self) -> None:
        """Let go of the memory for recording, once nobody has what `captured` gave."""
        ...


@dataclass(slots=True, weakref_slot=True, eq=False)
class _Place:
    """Memory that graphs share: they run one after the other, and keep nothing in it."""

    array: DeviceArray


@dataclass(frozen=True, slots=True)
class _Graph:
    """results: overwritten whenever it is played."""

    given: Sequence[_Place]
    results: Sequence[DeviceArray]
    play: Callable[[], None]


class Graphs:
    """Those of one launcher, for one thread at a time. refused: why there are none, once one could not be made.

    on_trial: what a graph gives the first time is compared with what its calls give, byte for byte; waits for the GPU.
    """

    def __init__(self, launcher: Capturing) -> None:
        self._launcher = launcher
        self._seen, self._graphs = set[Outline](), OrderedDict[Outline, _Graph]()
        self._places: WeakValueDictionary[tuple[int, Kind], _Place] = WeakValueDictionary()
        self.refused: str | None = None
        self.on_trial = False

    def __len__(self) -> int:
        return len(self._graphs)

    def done(self, outline: Outline, given: Sequence[DeviceArray]) -> list[DeviceArray]:
        """What is wanted. given: in the same order as in the outline.

        Raises MemoryError, and whatever the calls raise.
        """
        graph = self._graph_of(outline, given)
        try:
            results = run(outline, self._launcher, given) if graph is None else self._replayed(graph, given)
        except MemoryError:
            if not self._graphs:
                raise
            results = graph = None
        if results is None:  # not above, where the error still holds what the memory is wanted for
            self._let_go()  # pictures of other sizes, as of a folder, leave graphs behind
            results = run(outline, self._launcher, given)
        if graph is None:
            self._remember(outline)
        return results

    def _replayed(self, graph: _Graph, given: Sequence[DeviceArray]) -> list[DeviceArray]:
        for place, array in zip(graph.given, given, strict=True):
            self._launcher.overwrite(place.array, array)
        graph.play()
        return [self._launcher.copy(array) for array in graph.results]

    def _let_go(self) -> None:
        self._graphs.clear()
        self._launcher.forget()

    def _graph_of(self, outline: Outline, given: Sequence[DeviceArray]) -> _Graph | None:
        """None: the calls are to be made one by one."""
        if (graph := self._graphs.get(outline)) is not None:
            self._graphs.move_to_end(outline)
            return graph
        # Its first time kernels are compiled and tables made, which cannot be recorded.
        if self.refused is not None or outline not in self._seen:
            return None
        try:
            graph = self._recorded(outline)
            if self.on_trial:
                self._check(graph, outline, given)
        except (RuntimeError, MemoryError) as error:
            self.refused = " ".join(str(error).split()) or type(error).__name__
            self._let_go()
            return None
        self._graphs[outline] = graph
        if len(self._graphs) > MOST_GRAPHS:
            self._graphs.popitem(last=False)
        return graph

    def _check(self, graph: _Graph, outline: Outline, given: Sequence[DeviceArray]) -> None:
        """Raises RuntimeError."""
        pairs = zip(self._replayed(graph, given), run(outline, self._launcher, given), strict=True)
        if any(self._bytes(ours) != self._bytes(theirs) for ours, theirs in pairs):
            raise RuntimeError("a graph gave other values than its kernels launched one by one")

    def _bytes(self, array: DeviceArray) -> bytes:
        return self._launcher.download(array).tobytes()

    def _remember(self, outline: Outline) -> None:
        """It was called, and nothing failed."""
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen.add(outline)

    def _recorded(self, outline: Outline) -> _Graph:
        given, results = self._all_places(outline.given), list[DeviceArray]()
        arrays = [place.array for place in given]
        play = self._launcher.captured(lambda: results.extend(run(outline, self._launcher, arrays)))
        return _Graph(given, results, play)

    def _all_places(self, kinds: Sequence[Kind]) -> list[_Place]:
        """One for each, those of one kind apart; the same as for other graphs."""
        met, out = Counter[Kind](), list[_Place]()
        for kind in kinds:
            key = met[kind], kind
            place = self._places.get(key) or _Place(self._launcher.empty(*kind))
            self._places[key] = place
            met[kind] += 1
            out.append(place)
        return out
