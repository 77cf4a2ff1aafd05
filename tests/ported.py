"""The CUDA kernels behind the CPU's signatures: arrays go there and back, so that one test serves both."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

import numpy as np
from pullfocus.kernels.belief import Belief
from pullfocus.kernels.cuda import CudaKernels

STAY = {"refocus": {2}, "assign": {1}}  # arguments, by their place, that the kernels take from main memory


class Ported:
    """kernels: of a device. Every array that goes in is copied there, every array that comes out is copied here."""

    def __init__(self, kernels: CudaKernels) -> None:
        self._kernels = kernels

    def __getattr__(self, name: str) -> Any:
        function, stay = getattr(self._kernels, name), STAY.get(name, set())

        def call(*arguments: Any, **named: Any) -> Any:
            there = [value if i in stay else self._there(value) for i, value in enumerate(arguments)]
            return self._here(function(*there, **named))

        return call

    def _there(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._there(item) for item in value]
        if isinstance(value, np.ndarray):
            return self._kernels.launcher.upload(value)
        return self._mapped(self._there, value)

    def _here(self, value: Any) -> Any:
        if isinstance(value, Belief):
            noise: Any = value.noise
            there = not isinstance(noise, float)
            number = float(self._kernels.launcher.download(noise)[0]) if there else noise
            return replace(self._mapped(self._here, value), noise=number)
        if isinstance(value, tuple):
            return tuple(self._here(item) for item in cast("tuple[Any, ...]", value))
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            return self._kernels.launcher.download(value)
        return self._mapped(self._here, value)

    def _mapped(self, way: Any, value: Any) -> Any:
        if not is_dataclass(value) or isinstance(value, type):
            return value
        arrays = {part.name: getattr(value, part.name) for part in fields(value)}
        return replace(value, **{name: way(held) for name, held in arrays.items() if hasattr(held, "shape")})
