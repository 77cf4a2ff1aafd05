"""A card without a GPU: its lanes do nothing until somebody waits, and then only what they must.

So whatever is read before its time, or written while it is still to be read, shows in the result: a copy is made, and a
kernel runs, as late as CUDA's rules allow. Several threads may use it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Hashable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import RLock, local
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.card import Mark
from pullfocus.kernels.cuda.launch import Argument, DeviceArray, Kernel, Launcher, Shape
from pullfocus.kernels.cuda.recording import RecordingLauncher

from .launcher import ShimLauncher


@dataclass(eq=False)
class LateMark:
    """`count` pieces of work of its lane lead to it."""

    lane: LateLane
    count: int
    waits: int = 0

    @property
    def done(self) -> bool:
        return self.lane.ran >= self.count

    def wait(self) -> None:
        with self.lane.card.lock:
            if not self.done:
                self.lane.card.log.append(f"wait {self.lane.name}")
            self.lane.run_to(self.count)


@dataclass(eq=False)
class LateLane:
    """work: what was queued; ran: how many of it have run."""

    card: LateCard
    name: str
    work: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])
    ran: int = 0

    @contextmanager
    def queue(self) -> Generator[None]:
        self.card.entered.append(self)
        try:
            yield
        finally:
            self.card.entered.pop()

    def mark(self) -> LateMark:
        with self.card.lock:
            return LateMark(self, len(self.work))

    def after(self, mark: Mark) -> None:
        assert isinstance(mark, LateMark)
        lane, count = mark.lane, mark.count
        self.do(lambda: lane.run_to(count))
        self.card.log.append(f"{self.name} after {lane.name}")

    def send(self, values: NDArray[Any], to: DeviceArray) -> None:
        assert values.flags.c_contiguous
        assert self.card.is_pinned(values), "a copy beside other work needs page-locked memory"
        self._copy("send", values, to)

    def fetch(self, array: DeviceArray, to: NDArray[Any]) -> None:
        assert self.card.is_pinned(to), "a copy beside other work needs page-locked memory"
        self._copy("fetch", array, to)

    def _copy(self, what: str, source: Any, target: Any) -> None:
        assert (source.shape, source.dtype) == (target.shape, target.dtype)
        self.card.log.append(f"{self.name} {what}")
        self.do(lambda: np.copyto(target, source))

    def do(self, work: Callable[[], object]) -> None:
        with self.card.lock:
            self.work.append(work)
            if self.name in self.card.early:
                self.run_to(len(self.work))

    def run_to(self, count: int) -> None:
        while self.ran < count:
            work, self.work[self.ran] = self.work[self.ran], _nothing
            self.ran += 1
            work()


@dataclass(frozen=True, slots=True)
class LateBranch:
    """handle: its lane's place among the card's branches, from 1."""

    lane: LateLane
    handle: int

    @contextmanager
    def turn(self, callers: Launcher) -> Generator[None]:
        with callers.queue() as lane:
            pass
        self.lane.after(lane.mark())
        try:
            yield
        finally:
            lane.after(self.lane.mark())


class LateCard:
    """A `Card`. log: what was asked of it, in order. early: lanes that do their work as soon as they may, instead.

    branches: the lanes of other libraries. launcher: queues on its lanes what `shim` does.
    """

    name = "shim"

    def __init__(
        self, shim: ShimLauncher, early: Collection[str] = (), launcher: type[LateLauncher] | None = None
    ) -> None:
        self.early = early
        self.lock, self._local, self.log = RLock(), local(), list[str]()
        self.upload, self.compute, self.download = (LateLane(self, name) for name in ("upload", "compute", "download"))
        self.launcher = (launcher or LateLauncher)(self, shim)
        self.recording = RecordingLauncher(self.launcher)
        self.kernels = CudaKernels(self.recording)
        self.branches = list[LateLane]()
        self._pinned = list[bytearray]()

    def pinned(self, size: int) -> Any:
        self._pinned.append(bytearray(b"\xff" * size))
        return self._pinned[-1]

    @property
    def pinned_count(self) -> int:
        return len(self._pinned)

    def is_pinned(self, values: NDArray[Any]) -> bool:
        return any(np.may_share_memory(values, np.frombuffer(piece, np.uint8)) for piece in self._pinned)

    @property
    def current(self) -> LateLane:
        """The lane that this thread's calls go to."""
        assert self.entered, "work for the card, and no lane to do it"
        return self.entered[-1]

    @property
    def entered(self) -> list[LateLane]:
        return self._local.__dict__.setdefault("lanes", [])


class LateLauncher:
    """Queues on the thread's current lane what `launcher` would do at once.

    made: how many arrays it has given; replays: how often it was asked for recorded work.
    """

    torch_device = "cpu"

    def __init__(self, card: LateCard, launcher: ShimLauncher) -> None:
        self._card, self._launcher = card, launcher
        self._tables: dict[Hashable, DeviceArray] = {}
        self._pointed_at = list[DeviceArray]()
        self.made = self.replays = 0

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        self.made += 1
        return self._launcher.empty(shape, dtype)

    def zeros(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        if self._launcher.capture is not None:
            return self._launcher.zeros(shape, dtype)
        out: Any = self.empty(shape, dtype)
        self._card.current.do(lambda: out.fill(0))
        return out

    def copy(self, array: DeviceArray) -> DeviceArray:
        out = self.empty(array.shape, array.dtype)
        self.overwrite(out, array)
        return out

    def overwrite(self, to: DeviceArray, array: DeviceArray) -> None:
        self._do(lambda: self._launcher.overwrite(to, array))

    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        replay = self._launcher.captured(work)
        self._card.log.append("capture")
        return lambda: self._replay(replay)

    def forget(self) -> None:
        self._launcher.forget()

    def _replay(self, replay: Callable[[], None]) -> None:
        self.replays += 1
        self._do(replay)

    def _do(self, work: Callable[[], object]) -> None:
        if self._launcher.capture is None:
            self._card.current.do(work)
        else:
            work()

    def upload(self, values: NDArray[Any]) -> DeviceArray:
        """From memory that is not page-locked: it has been read when the call returns."""
        out, read = self.empty(values.shape, values.dtype), values.copy()
        self._card.current.do(lambda: np.copyto(out, read))  # pyright: ignore[reportArgumentType,reportCallIssue]
        return out

    def download(self, array: DeviceArray) -> NDArray[Any]:
        self._card.current.mark().wait()
        return self._launcher.download(array)

    def paste(self, plane: Any, to: DeviceArray, row: int) -> None:
        memory = np.from_dlpack(plane)  # whoever owns it may be gone when the copy is made
        self._card.current.do(lambda: self._launcher.paste(memory, to, row))

    def table(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> DeviceArray:
        if key not in self._tables:
            self._tables[key] = self._launcher.upload(make())
        return self._tables[key]

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        kept = [np.array(each) if _is_struct(each) else each for each in arguments]
        self._do(lambda: self._launcher.launch(kernel, extent, *kept))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(self, *arguments)

    def at_once(self) -> AbstractContextManager[Any]:
        return nullcontext()

    @contextmanager
    def queue(self) -> Generator[LateLane]:
        yield self._card.current

    @property
    def device_id(self) -> int:
        return self._launcher.device_id

    def address(self, array: DeviceArray) -> int:
        self._pointed_at.append(array)  # what is let go of stays in CuPy's pool, for what the same lane does later
        return self._launcher.address(array)

    def branch(self) -> LateBranch:
        lane = LateLane(self._card, "branch")
        self._card.branches.append(lane)
        return LateBranch(lane, len(self._card.branches))

    def of_torch(self, tensor: Any) -> DeviceArray:
        """PyTorch's own work on a CPU is done at once."""
        return self._launcher.of_torch(tensor)

    def to_torch(self, array: DeviceArray) -> Any:
        self._card.current.mark().wait()
        return self._launcher.to_torch(array)


def _is_struct(argument: Any) -> bool:
    return isinstance(argument, np.ndarray) and argument.dtype.names is not None


def _nothing() -> None:
    pass
