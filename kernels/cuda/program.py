"""The work of a part of a frame as a list of calls, which can be made, or recorded as a CUDA graph and replayed.

Two lists that are equal do the same to other arrays: what they are given, and nothing else, may differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from weakref import ref

from .launch import DeviceArray, Recordable
from .sketch import Kind, Results, is_array, kind_of

Function: TypeAlias = Callable[..., Any]


class Coming:
    """A `DeviceArray` that a program will make: its n-th. array: the real one, once the work is handed to the GPU."""

    __slots__ = ("__weakref__", "array", "dtype", "number", "program", "shape")

    def __init__(self, kind: Kind, program: Program, number: int) -> None:
        self.shape, self.dtype = kind
        self.number = number
        self.program: Program | None = program  # until it has come
        self.array: DeviceArray | None = None


class Ref(NamedTuple):
    """The n-th array that a program makes, or else is given."""

    made: bool
    number: int


class Call(NamedTuple):
    """results: the numbers of what it makes; None: one of its arguments. A tuple, so that it is quickly compared."""

    function: Function
    arguments: tuple[Any, ...]
    results: tuple[int | None, ...]


class Outline(NamedTuple):
    """All that a graph has in it. wanted: which of the arrays that are made are still referred to in the end."""

    calls: tuple[Call, ...]
    given: tuple[Kind, ...]
    wanted: tuple[int, ...]


class Program:
    """The list while it grows."""

    def __init__(self) -> None:
        self._calls = list[Call]()
        self._made = list[ref[Coming]]()
        self.given = list[DeviceArray]()
        self._given = dict[int, Ref]()

    def call(self, function: Function, arguments: Sequence[Any], results: Results) -> Any:
        """What the function gives, as it will come. Arguments that are no arrays are compared by value."""
        refs = tuple([self._ref(value) if is_array(value) else value for value in arguments])
        out, numbers = list[Any](), list[int | None]()
        for kind in results.kinds:
            if isinstance(kind, int):
                out.append(arguments[kind])
                numbers.append(None)
            else:
                out.append(coming := Coming(kind, self, len(self._made)))
                numbers.append(coming.number)
                self._made.append(ref(coming))
        self._calls.append(Call(function, refs, tuple(numbers)))
        return tuple(out) if results.several else out[0]

    @property
    def is_empty(self) -> bool:
        return not self._calls

    def results(self) -> list[Coming]:
        """What it makes and somebody still refers to."""
        return [coming for made in self._made if (coming := made()) is not None]

    def outline(self, results: Sequence[Coming]) -> Outline:
        given = tuple([kind_of(array) for array in self.given])
        return Outline(tuple(self._calls), given, tuple([coming.number for coming in results]))

    def _ref(self, array: DeviceArray) -> Ref:
        if isinstance(array, Coming) and array.program is self:
            return Ref(True, array.number)
        there = real(array)
        found = self._given.get(id(there))
        if found is None:
            found = self._given[id(there)] = Ref(False, len(self.given))
            self.given.append(there)  # which also keeps its `id`
        return found


def real(array: DeviceArray) -> DeviceArray:
    """The array itself, of one that has come. Raises RuntimeError where its work was dropped, or is not yet done."""
    if not isinstance(array, Coming):
        return array
    if array.array is None:
        raise RuntimeError("got an array of work that failed before it was handed to the GPU")
    return array.array


def run(outline: Outline, gpu: Recordable, given: Sequence[DeviceArray]) -> list[DeviceArray]:
    """Make the calls, and give what is wanted. All else is let go of after its last use."""
    made, ends = dict[int, DeviceArray](), _last_uses(outline)

    def argument(value: Any) -> Any:
        if not isinstance(value, Ref):
            return value
        return made[value.number] if value.made else given[value.number]

    for place, call in enumerate(outline.calls):
        results = call.function(gpu, *[argument(value) for value in call.arguments])
        results = results if isinstance(results, tuple) else (results,)
        made |= {number: each for number, each in zip(call.results, results, strict=True) if number is not None}
        del results
        for number in ends[place]:
            del made[number]
    return [made[number] for number in outline.wanted]


def _last_uses(outline: Outline) -> Mapping[int, Collection[int]]:
    """Of each call the arrays that no later one uses, but for those that are wanted."""
    last = dict[int, int]()
    for place, call in enumerate(outline.calls):
        last |= {number: place for number in call.results if number is not None}
        last |= {value.number: place for value in call.arguments if isinstance(value, Ref) and value.made}
    ends = defaultdict[int, list[int]](list)
    for number, place in last.items():
        if number not in outline.wanted:
            ends[place].append(number)
    return ends
