"""What libraries throw on a GPU, as one line. Imports none of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ..kernels.errors import EngineError, PullfocusError

MAX_LETTERS = 200  # of what a library says: some add pages of advice
MEMORY_ADVICE = "out of GPU memory; close other programs that use the GPU, or use --device cpu"


@contextmanager
def gpu_failures(doing: str) -> Generator[None]:
    """Raises EngineError for RuntimeErrors and MemoryErrors: no memory, no kernels for this GPU, a broken context."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch's are of the former, CuPy's of both
        raise EngineError(f"{doing}: {_told(error)}") from error


@contextmanager
def library_failures(doing: str) -> Generator[None]:
    """Raises EngineError for whatever a compiler throws: they raise bare Exceptions, and names that are unbound."""
    try:
        yield
    except PullfocusError:
        raise
    except Exception as error:
        raise EngineError(f"{doing}: {_told(error)}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """As torch, CUDA, TensorRT and ONNX Runtime say it."""
    told = f"{type(error).__name__} {error}".lower().replace(" ", "").replace("_", "")
    return "outofmemory" in told or "allocationfailed" in told


def _told(error: BaseException) -> str:
    if is_out_of_memory(error):
        return MEMORY_ADVICE
    lines = str(error).strip().splitlines()
    return lines[0][:MAX_LETTERS] if lines else type(error).__name__
