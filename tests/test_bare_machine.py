"""What `make gpu` runs works on a machine that has little besides torch and CuPy: no PyAV, no OpenVINO, no internet."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from pullfocus.engines import atomic

from .conftest import ABOUT_GPU

# Seen on a data centre's image of torch 2.11 and CuPy 14.
THERE = {"cupy", "cv2", "hypothesis", "numpy", "onnx", "onnxruntime", "psutil", "pytest", "rich", "safetensors",
         "sklearn", "threadpoolctl", "torch", "torchvision", "typer"}  # fmt: skip
ROOTS = {"pullfocus": Path(atomic.__file__).parents[1], "tests": Path(__file__).parent}


def test_what_make_gpu_imports_is_on_a_bare_machine() -> None:
    files = [path for path in ROOTS["tests"].glob("*.py") if ABOUT_GPU.search(path.read_text(encoding="utf-8"))]
    names = ["pullfocus.benchmarks.gpu.__main__", *(f"tests.{path.stem}" for path in files)]
    assert len(names) > 5
    asked = {name.partition(".")[0]: chain for each in names for name, chain in reached(each).items()}
    missing = asked.keys() - THERE - sys.stdlib_module_names - {"pullfocus", "tests", "__future__"}
    assert not missing, [asked[name] for name in missing]


@cache
def reached(start: str) -> dict[str, str]:
    """All modules that importing `start` imports, by what our own files say at their top level, with who asks."""
    found, waiting = {start: start}, [start]
    while waiting:
        name = waiting.pop()
        for each in top_level_imports(name):
            if each not in found:
                found[each] = f"{found[name]} → {each}"
                waiting.append(each)
    return found


def top_level_imports(name: str) -> Iterator[str]:
    """Of one of our modules; nothing of others'."""
    path = file_of(name)
    if path is None:
        return
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            yield base
            yield from (f"{base}.{each.name}" for each in node.names if file_of(f"{base}.{each.name}"))


def file_of(name: str) -> Path | None:
    root, _, rest = name.partition(".")
    if root not in ROOTS:
        return None
    place = ROOTS[root].joinpath(*rest.split(".")) if rest else ROOTS[root]
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
