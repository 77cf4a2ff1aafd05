"""What a stage remembers, as a plain tree, and on disk: so that a run that was broken off can go on as if it had not.

A file is an `.npz` that is read without pickle: the tree as JSON, each array in it as a member of its own.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..engines.atomic import written_aside
from ..kernels.errors import InputError

State: TypeAlias = dict[str, Any]  # a tree of dict, list, str, float, int, bool, None and arrays
TREE = "tree"  # the member that holds the JSON
ARRAY = "array"  # the key of a node that stands for an array


@runtime_checkable
class Remembers(Protocol):
    """Something whose next answer depends on what it has seen."""

    def state(self) -> State:
        """What it knows. Nothing that it does later changes what was returned."""
        ...

    def restore(self, state: State) -> None:
        """Go on from where another of its kind, made with the same settings, gave `state`."""
        ...


def save_state(path: Path, state: State) -> None:
    """Whole or not at all. Raises OutputError."""
    arrays: dict[str, NDArray[Any]] = {}
    tree = json.dumps(_without_arrays(state, arrays))
    with written_aside(path) as aside, aside.open("wb") as file:
        np.savez(file, allow_pickle=False, **{TREE: np.array(tree)}, **arrays)


def load_state(path: Path) -> State:
    """Raises InputError where the file is missing, damaged, or something else."""
    try:
        with np.load(path, allow_pickle=False) as members:
            state = _with_arrays(json.loads(str(members[TREE])), members)
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: no saved state that can be read ({error}); it is damaged or incomplete") from error
    if not isinstance(state, dict):
        raise InputError(f"{path}: no saved state, but a {type(state).__name__}")
    return cast(State, state)


def _without_arrays(node: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """`node` with its arrays moved to `arrays`."""
    match node:
        case np.ndarray():
            name = f"{ARRAY}{len(arrays)}"
            arrays[name] = node
            return {ARRAY: name}
        case dict():
            return {key: _without_arrays(value, arrays) for key, value in cast(State, node).items()}
        case list() | tuple():
            return [_without_arrays(value, arrays) for value in cast(list[Any], node)]
        case _:
            return node


def _with_arrays(node: Any, members: Any) -> Any:
    """`node` with the arrays of `members` back in their places."""
    match node:
        case {"array": str(name), **rest} if not rest:
            return members[name]
        case dict():
            return {key: _with_arrays(value, members) for key, value in cast(State, node).items()}
        case list():
            return [_with_arrays(value, members) for value in cast(list[Any], node)]
        case _:
            return node
