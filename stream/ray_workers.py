"""Workers of a Ray cluster (https://docs.ray.io): one that is there, else a local one for the time of the run.

Ray is optional and loaded here only. It carries calls and answers; films go over the file system that all machines
share. What it would print or report is switched off.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Collection, Generator, Hashable
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import version
from socket import create_connection
from typing import Any

from ..engines.finding import require
from ..kernels.errors import EngineError, InputError
from .film_steps import Piece
from .spread import Answer, do

RETRIES = 3  # when a worker is lost; a piece that fails by itself is not tried again
MOST_CPUS = 2  # for a piece: its stages overlap, but they do not keep more than this busy
# No reports on usage, and no lines of workers and of lost workers: Ray prints those also without log_to_driver.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}
CONNECT_S = 5.0
STORE_BYTES = 80 << 20  # of a local cluster's memory for answers, which are short


class RayWorkers:
    """Does pieces as tasks of Ray. Make it with `ray_workers`."""

    def __init__(self, ray: Any, cuda: bool) -> None:
        """cuda: what has use for a GPU is given one. Raises InputError when the cluster has none, or no CPU."""
        self._ray, self._cuda = ray, cuda
        cluster = ray.cluster_resources()
        cpus = int(cluster.get("CPU", 0))
        if cpus < 1:
            raise InputError("--ray: the cluster has no CPU for tasks; start its nodes with --num-cpus 1 or more")
        if cuda and cluster.get("GPU", 0) < 1:
            raise InputError("--device cuda: the Ray cluster has no GPU; use --device cpu, or add a node that has one")
        largest = max(int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])
        # On a machine with few cores rather two workers with one core each: they never wait for each other.
        self.cpus = MOST_CPUS if largest >= 2 * MOST_CPUS else 1
        self.room = max(1, cpus // self.cpus) + 1
        # A task with a GPU would end its process, and with it the engine, were it not for max_calls.
        self._task = ray.remote(max_calls=0, max_retries=RETRIES)(do)
        self._version = version("pullfocus")

    def submit(self, piece: Piece, /) -> Hashable:
        resources = {"num_cpus": self.cpus, "num_gpus": 1 if piece.gpu and self._cuda else 0}
        task = self._task.options(name=f"pullfocus-{piece.work.__name__}", **resources)
        return task.remote(piece, self._version)

    def wait(self, tickets: Collection[Any], timeout_s: float, /) -> list[tuple[Hashable, Answer]]:
        tickets = list(tickets)
        done, _ = self._ray.wait(tickets, num_returns=1, timeout=timeout_s)
        if done:  # and what else is done by now
            done, _ = self._ray.wait(tickets, num_returns=len(tickets), timeout=0)
        return [(ticket, self._answer(ticket)) for ticket in done]

    def _answer(self, ticket: Any) -> Answer:
        try:
            return self._ray.get(ticket)
        except self._ray.exceptions.RayError as error:
            return Answer(
                reason=f"given up by Ray, which had {RETRIES} more tries where a worker was lost: {_last(error)}"
            )

    def cancel(self, tickets: Collection[Any], /) -> None:
        for ticket in tickets:
            with suppress(self._ray.exceptions.RayError):
                self._ray.cancel(ticket)


@contextmanager
def ray_workers(address: str | None, cuda: bool) -> Generator[RayWorkers]:
    """address: `host:port`, `auto` (any of this machine), `local`; None: the one
    of RAY_ADDRESS or of `ray start` on this machine, else a local one for the time of the run.

    Raises MissingExtraError without Ray, and InputError when there is no such cluster.
    """
    require("ray", "ray", "--ray")
    _check_answers(address or os.environ.get("RAY_ADDRESS", ""))
    os.environ |= QUIET
    ray = import_module("ray")
    if ray.is_initialized():
        yield RayWorkers(ray, cuda)  # the connection is another's, who began it and will end it
        return
    ours = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _connect(ray, address)
        for number, handler in ours.items():
            signal.signal(number, handler)  # Ray's own would end the process at once
        yield RayWorkers(ray, cuda)
    except ray.exceptions.RayError as error:
        raise EngineError(f"--ray: the cluster was lost ({_last(error)}); the same command goes on") from error
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    small = {"include_dashboard": False, "object_store_memory": STORE_BYTES}
    try:
        try:
            ray.init(address, **quiet, **(small if address in (None, "local") else {}))
        except ValueError:
            if address is not None:
                raise
            ray.init(**quiet)  # there is a cluster, so how large it is has been decided
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise InputError(f"--ray {address or ''}: no Ray cluster that can be used is there ({_last(error)})") from error


def _last(error: Exception) -> str:
    """What it comes to: Ray puts a trace before it."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[-1].strip()}"


def _check_answers(address: str) -> None:
    """Ray waits for minutes for a cluster that is not there. Raises InputError."""
    host, colon, port = address.rpartition(":")
    if not colon or "://" in address or not port.isdecimal():
        return
    try:
        create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--ray {address}: nothing answers there ({error}); start Ray with: ray start --head"
        ) from error
