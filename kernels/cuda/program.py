"""The work of a part of a frame as a list of steps, which can be run, or recorded as a CUDA graph and replayed.

Two lists that are equal do the same to other arrays: what they are given, and nothing else, may differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from weakref import ref

import numpy as np

from .launch import Argument, DeviceArray, Kernel, Launcher, Shape

Kind: TypeAlias = tuple[Shape, np.dtype[Any]]
Verb: TypeAlias = Literal["clear", "overwrite"]  # as of `Launcher`


class Coming:
    """A `DeviceArray` that a program will make: its n-th. array: the real one, once the work is handed to the GPU."""

    __slots__ = ("__weakref__", "array", "dtype", "number", "program", "shape")

    def __init__(self, kind: Kind, program: Program, number: int) -> None:
        self.shape, self.dtype = kind
        self.number = number
        self.program: Program | None = program  # until it has come
        self.array: DeviceArray | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The n-th array that a program makes."""

    number: int


@dataclass(frozen=True, slots=True)
class Given:
    """The n-th array that was there before."""

    number: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is the same whenever `key` is: a table, or a struct."""

    key: Hashable
    value: Argument = field(compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """extent: of a kernel's launch."""

    what: Kernel | Verb
    extent: Shape
    arguments: tuple[Made | Given | Fixed | int | float, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """All that a graph has in it. wanted: which of the arrays that are made are still referred to in the end."""

    steps: tuple[Step, ...]
    given: tuple[Kind, ...]
    made: tuple[Kind, ...]
    wanted: tuple[int, ...]


class Program:
    """The list while it grows. tables: the keys of arrays that never change, by `id`."""

    def __init__(self, tables: Mapping[int, Hashable]) -> None:
        self._tables = tables
        self._steps = list[Step]()
        self._made, self._kinds = list[ref[Coming]](), list[Kind]()
        self.given = list[DeviceArray]()
        self._given = dict[int, Given]()

    def make(self, shape: Shape, dtype: Any) -> Coming:
        coming = Coming((tuple(shape), np.dtype(dtype)), self, len(self._made))
        self._made.append(ref(coming))
        self._kinds.append((coming.shape, coming.dtype))
        return coming

    def add(self, what: Kernel | Verb, *arguments: Any, extent: Shape = ()) -> None:
        self._steps.append(Step(what, tuple(extent), tuple(map(self._argument, arguments))))

    def results(self) -> list[Coming]:
        """What it makes and somebody still refers to."""
        return [coming for made in self._made if (coming := made()) is not None]

    def outline(self, results: Sequence[Coming]) -> Outline:
        given = tuple(kind_of(array) for array in self.given)
        return Outline(tuple(self._steps), given, tuple(self._kinds), tuple(coming.number for coming in results))

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Coming):
            if value.program is self:
                return Made(value.number)
            value = real(value)
        if isinstance(value, np.ndarray) and value.dtype.names is not None:
            return Fixed((value.dtype, value.tobytes()), value.copy())
        if not hasattr(value, "shape") or isinstance(value, np.generic):
            return value
        if id(value) in self._tables:
            return Fixed(self._tables[id(value)], value)
        if id(value) not in self._given:
            self._given[id(value)] = Given(len(self.given))
            self.given.append(value)  # which also keeps its `id`
        return self._given[id(value)]


def kind_of(array: DeviceArray) -> Kind:
    return tuple(array.shape), np.dtype(array.dtype)


def real(array: DeviceArray) -> DeviceArray:
    """The array itself, of one that has come. Raises RuntimeError where its work was dropped, or is not yet done."""
    if not isinstance(array, Coming):
        return array
    if array.array is None:
        raise RuntimeError("got an array of work that failed before it was handed to the GPU")
    return array.array


def run(
    outline: Outline, gpu: Launcher, given: Sequence[DeviceArray], places: Mapping[int, DeviceArray] | None = None
) -> list[DeviceArray]:
    """Take the steps, and give what is wanted. All else is let go of after its last use.

    places: where some of what is wanted is to be made.
    """
    made = dict[int, DeviceArray](places or {})
    last = _last_uses(outline)

    def argument(value: Any) -> Any:
        match value:
            case Made(number):
                if number not in made:
                    made[number] = gpu.empty(*outline.made[number])
                return made[number]
            case Given(number):
                return given[number]
            case Fixed():
                return value.value
            case _:
                return value

    for number, step in enumerate(outline.steps):
        arguments = [argument(value) for value in step.arguments]
        if isinstance(step.what, Kernel):
            gpu.launch(step.what, step.extent, *arguments)
        else:
            getattr(gpu, step.what)(*arguments)
        del arguments
        for one in last[number]:
            del made[one]
    return [argument(Made(number)) for number in outline.wanted]


def _last_uses(outline: Outline) -> Mapping[int, Collection[int]]:
    """Of each step the arrays that no later step uses, but for those that are wanted."""
    last = dict[int, int]()
    for number, step in enumerate(outline.steps):
        last |= {each.number: number for each in step.arguments if isinstance(each, Made)}
    ends = defaultdict[int, list[int]](list)
    for made, number in last.items():
        if made not in outline.wanted:
            ends[number].append(made)
    return ends
