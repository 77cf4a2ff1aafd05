"""Calls of a part of a frame, kept and handed to the GPU at once: from the second time on as a CUDA graph.

A frame is some seventy kernels of a few µs each; launched one by one, the launching takes longer than the computing.
What changes from frame to frame is arrays alone: those a graph reads stay where they are, and a frame's own are copied
there; its results are copied out, for the next frame will overwrite them. On a GPU that costs little. Two frames that
differ in more (another size, planes on other grids) are different graphs. What has come once only is called as it is,
for it may never come again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock, local
from typing import Any, Protocol
from weakref import WeakValueDictionary

from numpy.typing import DTypeLike, NDArray

from .launch import Argument, Branch, DeviceArray, Kernel, Launcher, Shape
from .program import Coming, Function, Outline, Program, real, run
from .sketch import Kind, Results, is_array, kind_of, results_of

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


class RecordingLauncher:
    """A `Launcher` whose `call`s within `frame` are recorded; all else goes on to `launcher` at once, after those.

    Several threads may use it, each with frames of its own. refused: why there are no graphs, once one was not made.
    """

    def __init__(self, launcher: Capturing) -> None:
        self._launcher = launcher
        self._thread, self._lock = local(), Lock()
        self._results = dict[Hashable, Results]()
        self._seen, self._graphs = Counter[Outline](), OrderedDict[Outline, _Graph]()
        self._places: WeakValueDictionary[tuple[int, Kind], _Place] = WeakValueDictionary()
        self.refused: str | None = None

    @property
    def graphs(self) -> int:
        """How many there are now."""
        return len(self._graphs)

    @contextmanager
    def frame(self) -> Generator[None]:
        """What is called within is kept, and handed over at the end, or when its result is asked for.

        An array that came from before must not be written within, for a graph has a copy of it.
        """
        self._thread.program = Program()
        try:
            yield
            self._hand_over()
        finally:
            self._thread.program = None

    @contextmanager
    def at_once(self) -> Generator[None]:
        self._hand_over()
        program, self._thread.program = self._program, None
        try:
            yield
        finally:
            self._thread.program = program

    def there(self, array: DeviceArray) -> DeviceArray:
        """The array that the runtime's own functions take. Hands over what is kept, where it needs that."""
        if isinstance(array, Coming) and array.program is not None and array.program is self._program:
            self._hand_over()
        return real(array)

    def call(self, function: Function, *arguments: Any) -> Any:
        if self._program is None:
            return function(self._launcher, *self._unwrapped(arguments))
        return self._program.call(function, arguments, self._results_of(function, arguments))

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        return self._launcher.empty(shape, dtype)

    def zeros(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        return self._launcher.zeros(shape, dtype)

    def copy(self, array: DeviceArray) -> DeviceArray:
        self._hand_over()
        return self._launcher.copy(self.there(array))

    def overwrite(self, to: DeviceArray, array: DeviceArray) -> None:
        self._hand_over()
        self._launcher.overwrite(self.there(to), self.there(array))

    def upload(self, values: NDArray[Any]) -> DeviceArray:
        return self._launcher.upload(values)

    def download(self, array: DeviceArray) -> NDArray[Any]:
        return self._launcher.download(self.there(array))

    def paste(self, plane: Any, to: DeviceArray, row: int) -> None:
        self._hand_over()
        self._launcher.paste(plane, self.there(to), row)

    def table(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> DeviceArray:
        return self._launcher.table(key, make)

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        self._hand_over()
        self._launcher.launch(kernel, extent, *self._unwrapped(arguments))

    def queue(self) -> AbstractContextManager[Any]:
        return self._launcher.queue()

    @property
    def torch_device(self) -> str:
        return self._launcher.torch_device

    @property
    def device_id(self) -> int:
        return self._launcher.device_id

    def address(self, array: DeviceArray) -> int:
        return self._launcher.address(self.there(array))

    def branch(self) -> Branch:
        return self._launcher.branch()

    def of_torch(self, tensor: Any) -> DeviceArray:
        return self._launcher.of_torch(tensor)

    def to_torch(self, array: DeviceArray) -> Any:
        return self._launcher.to_torch(self.there(array))

    @property
    def _program(self) -> Program | None:
        return getattr(self._thread, "program", None)

    def _unwrapped(self, arguments: Sequence[Any]) -> list[Any]:
        return [self.there(each) if isinstance(each, Coming) else each for each in arguments]

    def _results_of(self, function: Function, arguments: Sequence[Any]) -> Results:
        key = function, tuple([kind_of(each) if is_array(each) else each for each in arguments])
        if key not in self._results:
            if len(self._results) >= MOST_REMEMBERED:
                self._results.clear()
            self._results[key] = results_of(function, arguments)
        return self._results[key]

    def _hand_over(self) -> None:
        program = self._program
        if program is None or program.is_empty:
            return
        self._thread.program = Program()
        results = program.results()
        outline = program.outline(results)
        with self._launcher.queue(), self._lock:
            arrays = self._done(outline, program.given)
        for coming, array in zip(results, arrays, strict=True):
            coming.array, coming.program = array, None

    def _done(self, outline: Outline, given: Sequence[DeviceArray]) -> list[DeviceArray]:
        graph = self._graph_of(outline)
        if graph is None:
            return self._called(outline, given)
        for place, array in zip(graph.given, given, strict=True):
            self._launcher.overwrite(place.array, array)
        graph.play()
        return [self._launcher.copy(array) for array in graph.results]

    def _called(self, outline: Outline, given: Sequence[DeviceArray]) -> list[DeviceArray]:
        try:
            return run(outline, self._launcher, given)
        except MemoryError:
            if not self._graphs:
                raise
        self._graphs.clear()  # pictures of other sizes, as of a folder, leave graphs behind
        self._launcher.forget()
        return run(outline, self._launcher, given)

    def _graph_of(self, outline: Outline) -> _Graph | None:
        """None: the calls are to be made one by one."""
        if (graph := self._graphs.get(outline)) is not None:
            self._graphs.move_to_end(outline)
            return graph
        if self.refused is not None or not self._is_known(outline):
            return None
        try:
            graph = self._graphs[outline] = self._recorded(outline)
        except (RuntimeError, MemoryError) as error:
            self.refused = " ".join(str(error).split()) or type(error).__name__
            self._graphs.clear()
            self._launcher.forget()
            return None
        if len(self._graphs) > MOST_GRAPHS:
            self._graphs.popitem(last=False)
        return graph

    def _is_known(self, outline: Outline) -> bool:
        """Whether it came before. The first time kernels are compiled and tables made, which cannot be recorded."""
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[outline] += 1
        return self._seen[outline] > 1

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
