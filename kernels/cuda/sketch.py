"""What a function of this package gives, found out by running it on arrays that are nothing but their size."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .launch import Argument, DeviceArray, Kernel, Shape

Kind: TypeAlias = tuple[Shape, np.dtype[Any]]


class Sketch:
    """A `DeviceArray` without memory."""

    __slots__ = ("dtype", "shape")

    def __init__(self, kind: Kind) -> None:
        self.shape, self.dtype = kind


@dataclass(frozen=True, slots=True)
class Results:
    """What a function gives: of each result its kind, or the number of the argument that it is.

    several: a tuple, else the only one.
    """

    kinds: tuple[Kind | int, ...]
    several: bool


def is_array(value: object) -> bool:
    return hasattr(value, "shape") and not isinstance(value, np.generic)


def kind_of(array: DeviceArray) -> Kind:
    return tuple(array.shape), np.dtype(array.dtype)


def results_of(function: Callable[..., Any], arguments: Sequence[Any]) -> Results:
    """Of `function(launcher, *arguments)`, which decides by its arguments' kinds and values alone what it does."""
    sketched = [Sketch(kind_of(value)) if is_array(value) else value for value in arguments]
    given = function(SketchLauncher(), *sketched)
    several = isinstance(given, tuple)
    places = {id(value): place for place, value in enumerate(sketched) if isinstance(value, Sketch)}
    kinds = [places.get(id(each), kind_of(each)) for each in (given if several else (given,))]
    return Results(tuple(kinds), several)


class SketchLauncher:
    """A `Recordable` that runs nothing."""

    def empty(self, shape: Shape, dtype: DTypeLike) -> DeviceArray:
        return Sketch((tuple(shape), np.dtype(dtype)))

    zeros = empty

    def copy(self, array: DeviceArray) -> DeviceArray:
        return Sketch(kind_of(array))

    def table(self, key: Hashable, make: Callable[[], NDArray[Any]]) -> DeviceArray:
        del key
        return Sketch(kind_of(make()))

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        pass
