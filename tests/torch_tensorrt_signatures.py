"""What Torch-TensorRT's wheels say of the calls that we make, for machines on which it cannot be imported.

    pip download --no-deps --only-binary=:all: --python-version 3.12 torch-tensorrt==2.14.0 -d W
    pip download --no-deps --only-binary=:all: --python-version 3.12 'tensorrt-cu13-bindings==11.1.*' -d W
    python tests/torch_tensorrt_signatures.py W/*.whl

writes tests/data/torch_tensorrt_signatures.json: per version of Torch-TensorRT the parameters of each function and the
operators that have a converter; per version of TensorRT's bindings which names of it that we use are in them.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

OUT = Path(__file__).parent / "data" / "torch_tensorrt_signatures.json"
# Our name for it → where it is defined.
CALLS = {
    "dynamo.convert_exported_program_to_serialized_trt_engine": "torch_tensorrt/dynamo/_compiler.py",
    "dynamo.runtime.TorchTensorRTModule": "torch_tensorrt/dynamo/runtime/_TorchTensorRTModule.py",
}
EXPORTS = {  # … and where it must be importable from
    "dynamo.convert_exported_program_to_serialized_trt_engine": "torch_tensorrt/dynamo/__init__.py",
    "dynamo.runtime.TorchTensorRTModule": "torch_tensorrt/dynamo/runtime/__init__.py",
    "logging.TRT_LOGGER": "torch_tensorrt/logging.py",
}
# TensorRT's own Python API, which is compiled: its names are looked for in the library.
READER = (
    "Runtime", "deserialize_cuda_engine", "num_io_tensors", "get_tensor_name", "get_tensor_mode",
    "TensorIOMode", "INPUT",
)  # fmt: skip
BINDINGS = "tensorrt_bindings/tensorrt.so"
Kind = inspect.Parameter


def of_wheel(path: Path) -> tuple[str, dict[str, Any]]:
    """The version, and what is kept of it."""
    version = path.name.split("-")[1]
    with ZipFile(path) as wheel:
        if BINDINGS in wheel.namelist():
            library = wheel.read(BINDINGS)
            return f"tensorrt {version}", {"names": {name: f"{name}\0".encode() in library for name in READER}}
        texts = {name: wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".py")}
    trees = {name: ast.parse(text) for name, text in texts.items() if name.startswith("torch_tensorrt/")}
    signatures = {call: _parameters(_defined(trees[file], call.split(".")[-1])) for call, file in CALLS.items()}
    exports = {name: name.split(".")[-1] in _names(trees[file]) for name, file in EXPORTS.items()}
    converters = sorted({op for tree in trees.values() for op in _converters(tree)})
    return f"torch_tensorrt {version}", {"signatures": signatures, "exports": exports, "converters": converters}


def signature_of(parameters: list[dict[str, Any]]) -> inspect.Signature:
    """What `_parameters` kept, to bind calls to."""
    return inspect.Signature([
        Kind(each["name"], getattr(Kind, each["kind"]), default=None if each["has_default"] else Kind.empty)
        for each in parameters
    ])  # fmt: skip


def _defined(tree: ast.Module, name: str) -> ast.FunctionDef:
    """The function, or the constructor of the class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.ClassDef) and node.name == name:
            return next(one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    raise KeyError(name)


def _parameters(function: ast.FunctionDef) -> list[dict[str, Any]]:
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    without = len(plain) - len(given.defaults)
    found = [
        {"name": one.arg, "kind": "POSITIONAL_OR_KEYWORD", "has_default": index >= without}
        for index, one in enumerate(plain)
        if one.arg != "self"
    ]
    for one, default in zip(given.kwonlyargs, given.kw_defaults):
        found.append({"name": one.arg, "kind": "KEYWORD_ONLY", "has_default": default is not None})
    if given.kwarg is not None:
        found.append({"name": given.kwarg.arg, "kind": "VAR_KEYWORD", "has_default": False})
    return found


def _names(tree: ast.Module) -> set[str]:
    """What a module defines or imports."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    return found


def _converters(tree: ast.Module) -> list[str]:
    """Such as "aten.relu.default"."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    ours = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "dynamo_tensorrt_converter"]
    return [ast.unparse(call.args[0]).removeprefix("torch.ops.") for call in ours]


if __name__ == "__main__":
    OUT.write_text(json.dumps(dict(of_wheel(Path(name)) for name in sys.argv[1:]), indent=1) + "\n")
