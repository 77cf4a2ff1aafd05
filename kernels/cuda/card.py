"""A GPU as the pipeline uses it: three lanes of work that run beside each other, and memory that copies are quick from.

What these are on a GPU is in `cupy_card.py`; the tests have one that runs its lanes as late as it may.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from numpy.typing import NDArray

from .kernels import CudaKernels
from .launch import DeviceArray
from .recording import RecordingLauncher


class Mark(Protocol):
    """A point in a lane's work: a CUDA event."""

    @property
    def done(self) -> bool:
        """Whether the card has come there; does not wait."""
        ...

    def wait(self) -> None:
        """Wait, in the caller's thread, until the card has come there."""
        ...


class Lane(Protocol):
    """Work that the card does in order, and beside that of other lanes: a CUDA stream."""

    def queue(self) -> AbstractContextManager[Any]:
        """What this thread calls within, of kernels and of PyTorch, goes to this lane."""
        ...

    def mark(self) -> Mark:
        """The point that all work until now leads to."""
        ...

    def after(self, mark: Mark) -> None:
        """What comes from now on waits on the card for `mark`; the caller does not."""
        ...

    def send(self, values: NDArray[Any], to: DeviceArray) -> None:
        """Copy there. values: page-locked, and left alone until the copy is done."""
        ...

    def fetch(self, array: DeviceArray, to: NDArray[Any]) -> None:
        """Copy here. to: page-locked; holds the values once the copy is done."""
        ...


class Card(Protocol):
    """One per run."""

    @property
    def name(self) -> str:
        """Of the GPU."""
        ...

    @property
    def kernels(self) -> CudaKernels: ...

    @property
    def recording(self) -> RecordingLauncher:
        """What the kernels are launched by."""
        ...

    @property
    def upload(self) -> Lane: ...

    @property
    def compute(self) -> Lane: ...

    @property
    def download(self) -> Lane: ...

    def pinned(self, size: int) -> Any:
        """A buffer of so many bytes of page-locked main memory."""
        ...
