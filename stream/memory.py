"""How the C library keeps memory for a program that frees and takes the same megabytes again with every frame."""

from __future__ import annotations

import ctypes
import sys

# Of glibc's malloc.h. Beyond these sizes it gives memory back to the system at once, and touching it again costs a
# page fault for every 4 KiB: a tenth to a third of the time of a frame.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES, LARGEST_BYTES, GROWTH_BYTES = 512 << 20, 32 << 20, 16 << 20  # 32 MiB is the most that glibc allows


def keep_freed_memory() -> None:
    """Keep up to half a gigabyte of freed memory for the next frame; does nothing where there is no glibc."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting, size in (
            (_MMAP_THRESHOLD, LARGEST_BYTES),
            (_TRIM_THRESHOLD, KEPT_BYTES),
            (_TOP_PAD, GROWTH_BYTES),
        ):
            mallopt(setting, size)
