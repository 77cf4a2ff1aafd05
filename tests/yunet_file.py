"""A YuNet model file in the true format, whose faces are red squares: for FaceDetectorYN, with no onnx package.

Each of YuNet's twelve outputs is one convolution of stride 8, 16 or 32, as OpenCV decodes them: `cls` and `obj` are
1 where a cell is red, `bbox` is a box of SIDE cells around the middle of the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)
SIDE = 2.0  # of a box, in cells
FLOAT, INT64 = 1, 7  # data types of a tensor
INTS = 7  # type of an attribute


def write_yunet(path: Path) -> Path:
    """Static input of 640 × 640, as the model of 2023 has it."""
    nodes, weights, outputs = list[bytes](), list[bytes](), list[bytes]()
    for stride in STRIDES:
        red = np.zeros((1, 3, stride, stride), np.float32)
        red[0, 2], red[0, 1] = 1.0, -1.0  # channels are B, G, R
        red /= 255.0 * stride**2
        cell = [stride, stride]
        for kind, kernel, bias in (
            ("cls", red, [0.0]),
            ("obj", red, [0.0]),
            ("bbox", np.zeros((4, 3, stride, stride), np.float32), [0.5, 0.5, log(SIDE), log(SIDE)]),
            ("kps", np.zeros((10, 3, stride, stride), np.float32), [0.0] * 10),
        ):
            name, channels = f"{kind}_{stride}", len(bias)
            shape = np.array([1, -1, channels], np.int64)
            weights += [
                _tensor(f"{name}.w", kernel, FLOAT),
                _tensor(f"{name}.b", np.array(bias, np.float32), FLOAT),
                _tensor(f"{name}.s", shape, INT64),
            ]
            nodes += [
                _node("Conv", ["input", f"{name}.w", f"{name}.b"], f"{name}.c", kernel_shape=cell, strides=cell),
                _node("Transpose", [f"{name}.c"], f"{name}.t", perm=[0, 2, 3, 1]),
                _node("Reshape", [f"{name}.t", f"{name}.s"], name),
            ]
            outputs.append(_value(name, [1, (640 // stride) ** 2, channels]))
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"yunet"),
            *(_field(5, weight) for weight in weights),
            _field(11, _value("input", [1, 3, 640, 640])),
            *(_field(12, output) for output in outputs),
        ]
    )
    path.write_bytes(_number(1, 8) + _field(8, _field(1, b"") + _number(2, 13)) + _field(7, graph))
    return path


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _tensor(name: str, values: NDArray[np.generic], kind: int) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: Sequence[int]) -> bytes:
    out = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    out += _field(3, output.encode()) + _field(4, kind.encode())
    for name, values in attributes.items():
        numbers = b"".join(_number(8, value) for value in values)
        out += _field(5, _field(1, name.encode()) + numbers + _number(20, INTS))
    return out


def _value(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, size)) for size in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, FLOAT) + _field(2, dims)))
