"""Arrays are in main memory already. The specification is `..api.Kernels`."""

from __future__ import annotations

from numpy.typing import NDArray

from ..api import ScalarT


def upload(values: NDArray[ScalarT]) -> NDArray[ScalarT]:
    return values


def download(values: NDArray[ScalarT]) -> NDArray[ScalarT]:
    return values
