"""Work captured into CUDA graphs through CuPy: on a stream and in memory of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np
import pytest
from pullfocus.kernels.cuda.device import CupyLauncher

from .fake_cupy import FakeCupy


class _FakeStream:
    """What is asked of a stream that records, and of what is current while it does. fails: raised at its end."""

    fails: Exception | None = None

    def __init__(self, log: list[str], non_blocking: bool) -> None:
        assert non_blocking, "it would wait for the work of others"
        self._log = log

    def __enter__(self) -> None:
        self._log.append("stream")

    def __exit__(self, *_: object) -> None:
        self._log.append("no stream")

    def begin_capture(self) -> None:
        self._log.append("begin")

    def end_capture(self) -> Any:
        self._log.append("end")
        if self.fails is not None:
            raise self.fails
        return SimpleNamespace(launch=lambda: self._log.append("launch"))


@pytest.fixture
def log(cupy: FakeCupy) -> list[str]:
    log = list[str]()

    @contextmanager
    def allocator(malloc: str) -> Generator[None]:
        log.append(malloc)
        yield
        log.append("usual memory")

    def stream(non_blocking: bool) -> _FakeStream:
        return _FakeStream(log, non_blocking)

    cupy.cuda.Stream, cupy.cuda.using_allocator = stream, allocator

    def pool(allocator: Callable[[int], Any]) -> Any:
        del allocator
        log.append("pool")
        return SimpleNamespace(malloc="memory of the pool")

    cupy.cuda.MemoryPool = pool
    return log


def test_work_is_captured_on_a_stream_and_in_memory_of_its_own(cupy: FakeCupy, log: list[str]) -> None:
    del cupy
    gpu = CupyLauncher()
    play = gpu.captured(lambda: log.append("work"))
    around = ["stream", "memory of the pool", "begin", "work", "end", "usual memory", "no stream"]
    assert log == ["pool", *around]
    play()
    gpu.captured(lambda: log.append("work"))
    assert log == ["pool", *around, "launch", *around]  # graphs share the pool


@pytest.mark.parametrize("fails", [None, RuntimeError("operation failed due to a previous error during capture")])
def test_a_capture_that_failed_is_ended_and_the_next_begins_anew(
    cupy: FakeCupy, log: list[str], monkeypatch: pytest.MonkeyPatch, fails: Exception | None
) -> None:
    del cupy
    gpu = CupyLauncher()

    def refused() -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(_FakeStream, "fails", fails)
    with pytest.raises(RuntimeError, match="not permitted"):
        gpu.captured(refused)
    assert log[-2:] == ["end", "no stream"]
    monkeypatch.setattr(_FakeStream, "fails", None)
    gpu.captured(lambda: None)
    assert log.count("pool") == 2


class _Memory:
    """Of the device. left: how many more pieces there are."""

    left = 1

    def __init__(self, size: int) -> None:
        del size
        if not self.left:
            raise MemoryError("out of memory")
        type(self).left -= 1


class _Pool:
    """As CuPy's: when memory is short it frees what nobody has, and asks again."""

    def __init__(self, allocator: Callable[[int], Any]) -> None:
        self._allocator, self._free = allocator, list[Any]()

    def malloc(self, size: int) -> None:
        """Taken, and let go of."""
        try:
            self._free.append(self._allocator(size))
        except MemoryError:
            self._free.clear()
            self._free.append(self._allocator(size))


def test_memory_that_a_graph_works_in_is_its_own_when_memory_runs_out(
    cupy: FakeCupy, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, mallocs = list[ref[_Memory]](), list[Callable[[int], None]]()

    def memory(size: int) -> _Memory:
        out = _Memory(size)
        made.append(ref(out))
        return out

    @contextmanager
    def allocator(malloc: Callable[[int], None]) -> Generator[None]:
        mallocs.append(malloc)
        yield

    def pointer(memory: _Memory, offset: int) -> Any:
        return SimpleNamespace(mem=memory, offset=offset)

    monkeypatch.setattr(_Memory, "left", 1)
    cupy.cuda.Memory, cupy.cuda.MemoryPointer, cupy.cuda.MemoryPool = memory, pointer, _Pool
    cupy.cuda.using_allocator = allocator
    gpu = CupyLauncher()
    play = gpu.captured(lambda: mallocs[-1](8))
    with pytest.raises(MemoryError):
        gpu.captured(lambda: mallocs[-1](16))
    mallocs.clear()
    gc.collect()
    play()
    assert log[-1] == "launch"
    assert made[0]() is not None
    del play
    gc.collect()
    assert made[0]() is None


def test_a_table_that_was_not_sent_is_none(cupy: FakeCupy) -> None:
    """What fails within a recording never happens, so the next frame must not take it for done."""
    sent = list[Any]()

    def asarray(values: np.ndarray, order: str) -> Any:
        assert order == "C"
        sent.append(values)
        return f"array {len(sent)}"

    def refused() -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    cupy.asarray, cupy.current = asarray, SimpleNamespace(ptr=5, synchronize=refused)
    gpu = CupyLauncher()
    with pytest.raises(RuntimeError, match="not permitted"):
        gpu.table("ones", lambda: np.ones(3))
    cupy.current.synchronize = lambda: None
    assert [gpu.table("ones", lambda: np.ones(3)) for _ in range(2)] == ["array 2"] * 2
