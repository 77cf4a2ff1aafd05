"""NVIDIA's run-time compiler through its C interface: it needs no GPU, and comes as a wheel with PyTorch."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """The newest NVRTC of the installed wheels; None without one."""
    found = importlib.util.find_spec("nvidia")
    folders = [Path(folder) for folder in found.submodule_search_locations or ()] if found else []
    paths = sorted(path for folder in folders for path in folder.glob("*/lib/libnvrtc.so.*"))
    if not paths:
        return None
    for part in paths[-1].parent.glob("libnvrtc-builtins.so.*"):
        ctypes.CDLL(str(part))  # it is asked for by name alone, and the wheel's folder is on no path
    return ctypes.CDLL(str(paths[-1]))


def compiled(code: str, options: tuple[str, ...]) -> bytes:
    """The machine code of CUDA C++ for the architecture in `options`. Raises AssertionError with the compiler's log."""
    nvrtc, program = library(), ctypes.c_void_p()
    assert nvrtc is not None
    made = nvrtc.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"kernels.cu", 0, None, None)
    assert made == 0, f"nvrtcCreateProgram: {made}"
    try:
        names = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        done = nvrtc.nvrtcCompileProgram(program, len(options), names)
        assert done == 0, _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).decode()
        return _text(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(size_of: ctypes._NamedFuncPointer, get: ctypes._NamedFuncPointer, program: ctypes.c_void_p) -> bytes:  # pyright: ignore[reportPrivateUsage]
    size = ctypes.c_size_t()
    assert size_of(program, ctypes.byref(size)) == 0
    held = ctypes.create_string_buffer(size.value)
    assert get(program, held) == 0
    return held.raw
