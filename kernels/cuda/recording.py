"""A launcher that keeps the calls of a part of a frame, and hands them to the GPU at once: see `graphs.py`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Lock, local
from typing import Any

from numpy.typing import DTypeLike, NDArray

from .graphs import Capturing, Graphs
from .launch import Argument, Branch, DeviceArray, Kernel, Shape
from .program import Coming, Function, Program, real
from .sketch import Results, is_array, kind_of, results_of

MOST_REMEMBERED = 256


class RecordingLauncher:
    """A `Launcher` whose `call`s within `frame` are recorded; all else goes on to `launcher` at once, after those.

    Several threads may use it, each with frames of its own. graphs: what comes again.
    """

    def __init__(self, launcher: Capturing) -> None:
        self._launcher = launcher
        self._thread, self._lock = local(), Lock()
        self._results = dict[Hashable, Results]()
        self.graphs = Graphs(launcher)

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
        if (found := self._results.get(key)) is None:
            if len(self._results) >= MOST_REMEMBERED:
                self._results.clear()  # while another thread looks, too
            found = self._results[key] = results_of(function, arguments)
        return found

    def _hand_over(self) -> None:
        program = self._program
        if program is None or program.is_empty:
            return
        self._thread.program = Program()
        results = program.results()
        outline = program.outline(results)
        with self._launcher.queue(), self._lock:
            arrays = self.graphs.done(outline, program.given)
        for coming, array in zip(results, arrays, strict=True):
            coming.array, coming.program = array, None
