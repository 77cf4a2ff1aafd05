"""What the whole process asks of the machine: freed memory is kept, and cores are shared between stages."""

from __future__ import annotations

import ctypes
import os
import sys

import cv2

# Of glibc's malloc.h. Beyond these sizes it gives memory back to the system at once, and touching it again costs a
# page fault for every 4 KiB: a tenth to a third of the time of a frame.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES, LARGEST_BYTES, GROWTH_BYTES = 512 << 20, 32 << 20, 16 << 20  # 32 MiB is the most that glibc allows
SIDE_BY_SIDE = 3  # stages that run at the same time


def settle_in() -> None:
    """For a program of our own; a library has no business to decide this."""
    keep_freed_memory()
    share_cores()


def share_cores() -> None:
    """Leave OpenCV a stage's share of the cores.

    Each stage has a thread of its own. On two cores OpenCV's own threads, which wait for each other at every small
    step, cost half as much again as the work itself: 65 ms of CPU a 720p frame without the net, 40 with one thread.
    """
    cv2.setNumThreads(max(1, (os.cpu_count() or 1) // SIDE_BY_SIDE))


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
