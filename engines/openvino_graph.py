"""The net of `graph.py` as an OpenVINO graph, built from the weight file alone: no torch, no ONNX file.

In int8 values are rounded to 256 steps of the range that `pullfocus quantize` has measured for them, and
every weight to 255 steps of its output channel's; OpenVINO then computes the convolutions in int8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from ..kernels.errors import CheckpointError
from .checkpoint import Checkpoint
from .graph import DepthGraph

Node: TypeAlias = ov.Node
Ranges: TypeAlias = Mapping[str, tuple[float, float]]
RANGES = "ranges"  # note of a weight file: name of a node → the range that is kept of its values, as JSON
AGAIN = "the weight file is damaged or of another version; make it again with pullfocus quantize"


@dataclass(frozen=True, slots=True)
class _OpenVinoBuilder:
    """parameter: the graph's input. ranges: of values by their name; empty: compute in floats."""

    parameter: Node
    ranges: Ranges

    def done(self, node: Node, name: str) -> Node:
        """Name `node`, and round it where its range is known."""
        node.set_friendly_name(name)
        if name not in self.ranges:
            return node
        low, high = (np.full((1, 1, 1, 1), end) for end in self.ranges[name])
        return _rounded(node, low, high, levels=256)

    def picture(self, mean: NDArray[np.float32], scale: NDArray[np.float32], name: str) -> Node:
        x = op.convert(op.transpose(self.parameter, op.constant(np.array([0, 3, 1, 2]))), np.float32)
        return self.done(op.multiply(op.subtract(x, _constant(mean)), _constant(scale)), name)

    def conv(
        self, x: Node, weight: NDArray[np.floating], bias: NDArray[np.floating], stride: int, padding: int, name: str
    ) -> Node:
        kernel = _constant(weight)
        if self.ranges:
            largest = np.abs(weight).max(axis=(1, 2, 3), keepdims=True)
            kernel = _rounded(kernel, -largest, largest, levels=255)
        pad = [padding, padding]
        y = op.convolution(x, kernel, [stride, stride], pad, pad, [1, 1])
        return self.done(op.add(y, _constant(bias[None, :, None, None])), name)

    def relu(self, x: Node, name: str) -> Node:
        return self.done(op.relu(x), name)

    def add(self, x: Node, y: Node, name: str) -> Node:
        return self.done(op.add(x, y), name)

    def pool(self, x: Node, padding: int, ceil: bool, name: str) -> Node:
        pad, rounding = [padding, padding], "ceil" if ceil else "floor"
        pooled = op.max_pool(x, [2, 2], [1, 1], pad, pad, [3, 3], rounding)
        pooled.set_friendly_name(name)
        return pooled.output(0)  # pyright: ignore[reportReturnType] - beside it: where each largest was

    def double(self, x: Node, name: str) -> Node:
        doubled = op.interpolate(
            x,
            op.constant(np.array([2.0, 2.0], np.float32)),
            mode="nearest",
            shape_calculation_mode="scales",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
            axes=op.constant(np.array([2, 3], np.int64)),
        )
        return self.done(doubled, name)

    def concat(self, x: Node, y: Node, name: str) -> Node:
        return self.done(op.concat([x, y], axis=1), name)

    def shuffle(self, x: Node, name: str) -> Node:
        return self.done(op.depth_to_space(x, "depth_first", 2), name)

    def sigmoid(self, x: Node, name: str) -> Node:
        return self.done(op.sigmoid(x), name)


def build(checkpoint: Checkpoint, size_hw: tuple[int, int], ranges: Ranges | None = None) -> ov.Model:
    """Input `1 h w 3` uint8 RGB, output `1 1 h w` float32 inverse depth. Raises CheckpointError.

    ranges: those of `read_ranges`, to compute in int8.
    """
    picture = op.parameter([1, *size_hw, 3], np.uint8, name="picture")
    builder = _OpenVinoBuilder(picture, ranges or {})
    try:
        depth = DepthGraph(builder, checkpoint).build()
    except (RuntimeError, ValueError, IndexError) as error:  # from OpenVINO's and NumPy's checks of shapes
        last = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"tensors do not fit {checkpoint.encoder}: {last}") from error
    # OpenVINO's stubs name two different Model classes.
    model: ov.Model = ov.Model([depth], [picture], "pullfocus-depth")  # pyright: ignore
    unknown = builder.ranges.keys() - {node.get_friendly_name() for node in model.get_ordered_ops()}
    if unknown:
        raise CheckpointError(f"ranges for int8 of unknown values ({min(unknown)}, …); {AGAIN}")
    return model


def read_ranges(checkpoint: Checkpoint) -> Ranges:
    """The ranges of a net that is ready for int8, none of any other. Raises CheckpointError when they are damaged."""
    if RANGES not in checkpoint.notes:
        return {}
    try:
        noted = json.loads(checkpoint.notes[RANGES])
        ranges = {str(name): (float(low), float(high)) for name, (low, high) in noted.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"ranges for int8 are damaged ({error}); {AGAIN}") from error
    if not ranges or not all(low < high for low, high in ranges.values()):
        raise CheckpointError(f"ranges for int8 are empty; {AGAIN}")
    return ranges


def _rounded(x: Node, low: NDArray[np.floating], high: NDArray[np.floating], levels: int) -> Node:
    low_, high_ = _constant(low), _constant(high)
    return op.fake_quantize(x, low_, high_, low_, high_, levels)


def _constant(values: NDArray[np.floating]) -> Node:
    return op.constant(np.ascontiguousarray(values, np.float32))
