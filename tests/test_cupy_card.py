"""CuPy's lanes and marks: what is asked of CuPy and of PyTorch, which are played, and whether CuPy has it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pullfocus.kernels.cuda.cupy_card import CupyLane
from pullfocus.kernels.cuda.device import CupyBranch


class _Stream:
    def __init__(self, log: list[str], non_blocking: bool) -> None:
        assert non_blocking, "it would wait for the work of others"
        self.log, self.ptr = log, 77

    def __enter__(self) -> _Stream:
        self.log.append("enter CuPy's")
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append("leave CuPy's")

    def wait_event(self, event: _Event) -> None:
        self.log.append(f"wait for {event.name}")


class _Event:
    name = "event"
    done = False

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def record(self, stream: _Stream) -> None:
        self.log.append(f"record on {stream.ptr}")

    def synchronize(self) -> None:
        self.log.append("synchronize")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def lane(log: list[str], monkeypatch: pytest.MonkeyPatch) -> CupyLane:
    def event(disable_timing: bool) -> _Event:
        assert disable_timing
        return _Event(log)

    monkeypatch.setitem(sys.modules, "torch", None)

    def stream(non_blocking: bool) -> _Stream:
        return _Stream(log, non_blocking)

    cuda = SimpleNamespace(Stream=stream, Event=event)
    return CupyLane(SimpleNamespace(cuda=cuda))


def test_marks_are_events_of_the_lane_s_stream(lane: CupyLane, log: list[str]) -> None:
    mark = lane.mark()
    assert not mark.done
    lane.after(mark)
    mark.wait()
    assert log == ["record on 77", "wait for event", "synchronize"]


def test_copies_go_to_the_lane_s_stream_with_address_and_size(lane: CupyLane) -> None:
    calls = list[tuple[str, int, int, Any]]()

    def up(address: int, size: int, stream: Any) -> None:
        calls.append(("up", address, size, stream))

    def down(address: int, size: int, stream: Any) -> None:
        calls.append(("down", address, size, stream))

    data = SimpleNamespace(copy_from_host_async=up, copy_to_host_async=down)
    array, values = SimpleNamespace(data=data), np.zeros((3, 4), np.float32)
    lane.send(values, array)  # pyright: ignore[reportArgumentType]
    lane.fetch(array, values)  # pyright: ignore[reportArgumentType]
    assert [call[:3] for call in calls] == [(way, values.ctypes.data, 48) for way in ("up", "down")]
    assert all(call[3].ptr == 77 for call in calls)


@pytest.mark.parametrize("has_gpu", [True, False])
def test_pytorch_works_on_the_same_stream(
    lane: CupyLane, log: list[str], monkeypatch: pytest.MonkeyPatch, has_gpu: bool
) -> None:
    @contextmanager
    def stream(other: str) -> Generator[None]:
        log.append(f"enter {other}")
        yield
        log.append(f"leave {other}")

    def external(ptr: int) -> str:
        return f"PyTorch's {ptr}"

    cuda = SimpleNamespace(is_available=lambda: has_gpu, stream=stream, ExternalStream=external)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    with lane.queue():
        log.append("work")
    torchs = ["enter PyTorch's 77"] if has_gpu else []
    assert log == [
        "enter CuPy's",
        *torchs,
        "work",
        *[line.replace("enter", "leave") for line in torchs],
        "leave CuPy's",
    ]


class _Numbered:
    """A stream that says who waits for whom."""

    def __init__(self, log: list[str], ptr: int) -> None:
        self.log, self.ptr = log, ptr

    def wait_event(self, event: Any) -> None:
        self.log.append(f"{self.ptr} waits for {event.stream.ptr}")


class _Recorded:
    stream: Any = None

    def record(self, stream: Any) -> None:
        self.stream = stream


@pytest.mark.parametrize("fails", [False, True])
def test_what_another_library_queues_has_its_turn_on_the_card(log: list[str], fails: bool) -> None:
    callers = _Numbered(log, 5)

    def stream(non_blocking: bool) -> _Numbered:
        assert non_blocking
        return _Numbered(log, 9)

    def event(disable_timing: bool) -> _Recorded:
        assert disable_timing
        return _Recorded()

    @contextmanager
    def queue() -> Generator[_Numbered]:
        log.append("asked whose turn it is")
        yield callers

    branch = CupyBranch(SimpleNamespace(cuda=SimpleNamespace(Stream=stream, Event=event)))
    assert branch.handle == 9
    launcher: Any = SimpleNamespace(queue=queue)
    with suppress(RuntimeError), branch.turn(launcher):
        log.append("work")
        if fails:
            raise RuntimeError
    assert log == ["asked whose turn it is", "9 waits for 5", "work", "5 waits for 9"]


def test_cupy_and_pytorch_have_what_is_asked_of_them() -> None:
    cupy: Any = pytest.importorskip("cupy")
    import torch

    assert {"record", "wait_event", "synchronize"} <= set(dir(cupy.cuda.Stream))
    assert "non_blocking (bool)" in cupy.cuda.Stream.__doc__
    assert cupy.cuda.Stream.null.ptr == 0  # as `CupyLauncher.queue` and `paste` ask it
    assert "disable_timing" in cupy.cuda.Event.__init__.__doc__
    assert {"record", "synchronize", "done"} <= set(dir(cupy.cuda.Event))
    for name in ("copy_from_host_async", "copy_to_host_async"):
        assert getattr(cupy.cuda.MemoryPointer, name).__doc__.startswith(f"MemoryPointer.{name}(self, mem, size_t size")
    assert "size_t size" in cupy.cuda.alloc_pinned_memory.__doc__
    assert issubclass(cupy.cuda.memory.OutOfMemoryError, MemoryError)
    assert issubclass(cupy.cuda.runtime.CUDARuntimeError, RuntimeError)
    assert callable(cupy.from_dlpack)
    assert callable(cupy.cuda.Graph.launch)
    assert {"begin_capture", "end_capture"} <= set(dir(cupy.cuda.Stream))
    assert "MemoryPointer src, size_t size" in cupy.cuda.MemoryPointer.copy_from_device_async.__doc__
    assert callable(cupy.cuda.using_allocator)
    assert "malloc(self, size_t size)" in cupy.cuda.MemoryPool.malloc.__doc__
    assert "allocator (function)" in cupy.cuda.MemoryPool.__doc__
    assert "size (int)" in cupy.cuda.Memory.__doc__
    assert "mem (~cupy.cuda.BaseMemory)" in cupy.cuda.MemoryPointer.__doc__
    assert callable(cupy.cuda.get_current_stream)
    assert callable(cupy.cuda.runtime.getDevice)
    assert hasattr(cupy.cuda.MemoryPointer, "ptr")
    assert hasattr(cupy.ndarray, "data")
    assert issubclass(torch.cuda.ExternalStream, torch.cuda.Stream)
