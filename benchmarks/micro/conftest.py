"""Options, and what a result file holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import cv2
import pytest
from pullfocus.benchmarks.micro.baseline import machine, slim
from pullfocus.benchmarks.micro.jobs import size_of
from pullfocus.engines.environment import environment
from pullfocus.kernels.errors import InputError
from pullfocus.stream.process import settle_in


def pytest_addoption(parser: pytest.Parser) -> None:
    what = "time pictures of this size instead of the usual ones, such as 640x480; may be repeated"
    parser.addoption("--picture-size", action="append", type=_size, default=[], metavar="WxH", help=what)


def _size(text: str) -> tuple[int, int]:
    try:
        return size_of(text)
    except InputError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session", autouse=True)
def settled() -> Iterator[None]:
    """Memory and threads as the program has them."""
    threads = cv2.getNumThreads()
    settle_in()
    yield
    cv2.setNumThreads(threads)


@pytest.fixture(scope="session")
def commit() -> str:
    return environment()["commit"]


@pytest.fixture(scope="session")
def is_gpu_promised() -> bool:
    """Then what needs one must not skip."""
    return os.environ.get("PULLFOCUS_REQUIRE_GPU") == "1"


def pytest_benchmark_generate_machine_info() -> dict[str, str]:
    return machine()


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    slim(output_json)
