"""CuPy, played: it writes down what it is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class FakeArray:
    def __init__(self, contiguous: bool) -> None:
        self.flags = SimpleNamespace(c_contiguous=contiguous)


class FakeCupy(SimpleNamespace):
    """As much of it as a launch needs."""

    ndarray = FakeArray

    def __init__(self) -> None:
        runtime = SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError)
        cuda = SimpleNamespace(runtime=runtime, ExternalStream=int, get_current_stream=lambda: self.current)
        super().__init__(cuda=cuda, compiled=[], launched=[], current=SimpleNamespace(ptr=0))

    def RawModule(self, code: str, options: tuple[str, ...]) -> Any:  # noqa: N802
        self.compiled.append(options)
        return SimpleNamespace(get_function=self._function)

    def _function(self, name: str) -> Any:
        def launch(*call: Any) -> None:
            self.launched.append((name, *call))

        return launch
