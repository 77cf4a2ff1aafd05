"""Work that takes minutes, spread over processes, and given up at once on Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import TypeVar

Case = TypeVar("Case")
Done = TypeVar("Done")


def each(work: Callable[[Case], Done], cases: Sequence[Case], processes: int = 0) -> list[Done]:
    """work(case) of all cases, in their order. processes: 0 = one for each core, 1 = this one.

    work and cases have to pickle. Only for a program's main thread. Raises what `work` raises.
    """
    if processes == 1:
        return [work(case) for case in cases]
    others = set(active_children())
    # Not forks of this process: OpenCV's threads would be missing in them.
    with ProcessPoolExecutor(processes or os.cpu_count(), get_context("spawn"), _end_with_parent) as pool:
        with _ctrl_c_unheard():  # they inherit it: only this process hears Ctrl-C, and ends them
            futures = [pool.submit(work, case) for case in cases]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for child in set(active_children()) - others:
                child.terminate()
            raise


def _end_with_parent() -> None:
    """For a worker: one whose parent was killed would wait for work for ever."""
    parent = parent_process()
    assert parent is not None, "only for a child"
    Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@contextmanager
def _ctrl_c_unheard() -> Generator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
