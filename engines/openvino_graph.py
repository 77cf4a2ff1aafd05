"""`network.DepthNet` as an OpenVINO graph, built from the weight file alone: no torch, no ONNX file.

Reads like the net's own forward pass. Batch norms are folded into the convolutions (Jacob et al.
2018, arXiv:1712.05877, sec. 3.2), the ImageNet normalisation into the graph's first operation.

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
from .shape import BLOCKS, BN_EPSILON, MEAN, STD

Node: TypeAlias = ov.Node
Ranges: TypeAlias = Mapping[str, tuple[float, float]]
RANGES = "ranges"  # note of a weight file: name of a node → the range that is kept of its values, as JSON
AGAIN = "the weight file is damaged or of another version; make it again with pullfocus quantize"


@dataclass(frozen=True, slots=True)
class _Builder:
    encoder: str
    tensors: Mapping[str, NDArray[np.float32]]
    ranges: Ranges  # empty: compute in floats

    def done(self, node: Node, name: str) -> Node:
        """Name `node`, and round it where its range is known."""
        node.set_friendly_name(name)
        if name not in self.ranges:
            return node
        low, high = (np.full((1, 1, 1, 1), end) for end in self.ranges[name])
        return _rounded(node, low, high, levels=256)

    def tensor(self, key: str) -> NDArray[np.float32]:
        try:
            return self.tensors[key]
        except KeyError as error:
            raise CheckpointError(f"the weight file has no tensor {key!r}; it is damaged or of another net") from error

    def conv(self, x: Node | ov.Output, name: str, bn: str | None = None, stride: int = 1) -> Node:
        weight = self.tensor(f"{name}.weight")
        if bn is None:
            bias = self.tensor(f"{name}.bias")
        else:
            factor = self.tensor(f"{bn}.weight") / np.sqrt(self.tensor(f"{bn}.running_var") + BN_EPSILON)
            bias = self.tensor(f"{bn}.bias") - self.tensor(f"{bn}.running_mean") * factor
            weight = weight * factor[:, None, None, None]
        kernel = _constant(weight)
        if self.ranges:
            largest = np.abs(weight).max(axis=(1, 2, 3), keepdims=True)
            kernel = _rounded(kernel, -largest, largest, levels=255)
        pad = [weight.shape[2] // 2] * 2
        y = op.convolution(x, kernel, [stride, stride], pad, pad, [1, 1])
        return self.done(op.add(y, _constant(bias[None, :, None, None])), name)

    def relu(self, x: Node, name: str) -> Node:
        return self.done(op.relu(x), f"{name}.relu")

    def block(self, x: Node | ov.Output, name: str, stride: int) -> Node:
        convolutions = 2 if self.encoder == "resnet18" else 3
        y: Node | ov.Output = x
        for k in range(1, convolutions + 1):
            y = self.conv(y, f"{name}.conv{k}", f"{name}.bn{k}", stride if k == 1 else 1)
            y = self.relu(y, f"{name}.conv{k}") if k < convolutions else y
        if f"{name}.downsample.0.weight" in self.tensors:
            x = self.conv(x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
        return self.relu(op.add(x, y), name)

    def stage(self, x: Node | ov.Output, index: int) -> Node:
        first, *others = (f"encoder.layer{index}.{block}" for block in range(BLOCKS[self.encoder][index - 1]))
        y = self.block(x, first, stride=1 if index == 1 else 2)
        for block in others:
            y = self.block(y, block, stride=1)
        return y

    def pool(self, x: Node) -> ov.Output:
        pad, rounding = ([1, 1], "floor") if self.encoder == "resnet18" else ([0, 0], "ceil")
        return op.max_pool(x, [2, 2], [1, 1], pad, pad, [3, 3], rounding).output(0)

    def up(self, x: Node, skip: Node, name: str) -> Node:
        scales = op.constant(np.array([2.0, 2.0], np.float32))
        axes = op.constant(np.array([2, 3], np.int64))
        x = op.interpolate(
            x,
            scales,
            mode="nearest",
            shape_calculation_mode="scales",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
            axes=axes,
        )
        joined = op.concat([self.done(x, f"{name}.grown"), skip], axis=1)
        y = self.relu(self.conv(joined, f"{name}.conv1", f"{name}.bn1"), f"{name}.conv1")
        return self.relu(self.conv(y, f"{name}.conv2", f"{name}.bn2"), name)


def build(checkpoint: Checkpoint, size_hw: tuple[int, int], ranges: Ranges | None = None) -> ov.Model:
    """Input `1 h w 3` uint8 RGB, output `1 1 h w` float32 inverse depth. Raises CheckpointError.

    ranges: those of `read_ranges`, to compute in int8.
    """
    encoder = checkpoint.encoder
    if encoder not in BLOCKS:
        raise CheckpointError(f"got encoder {encoder!r}, expected {', '.join(BLOCKS)}")
    builder = _Builder(encoder, checkpoint.tensors, ranges or {})
    try:
        model = _model(builder, size_hw)
    except (RuntimeError, ValueError, IndexError) as error:  # from OpenVINO's and NumPy's checks of shapes
        raise CheckpointError(f"tensors do not fit {encoder}: {str(error).strip().splitlines()[-1]}") from error
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


def _model(b: _Builder, size_hw: tuple[int, int]) -> ov.Model:
    picture = op.parameter([1, *size_hw, 3], np.uint8, name="picture")
    x = b.done(_normalised(picture), "normalised")
    s2 = b.relu(b.conv(x, "encoder.conv1", "encoder.bn1", stride=2), "encoder.conv1")
    s4 = b.stage(b.pool(s2), 1)
    s8 = b.stage(s4, 2)
    s16 = b.stage(s8, 3)
    x = b.conv(b.stage(s16, 4), "bottleneck")
    x = b.up(x, s16, "up16")
    x = b.up(x, s8, "up8")
    x = b.up(x, s4, "up4")
    x = b.up(x, s2, "up2")
    x = op.depth_to_space(b.conv(x, "head"), "depth_first", 2)
    # OpenVINO's stubs name two different Model classes.
    return ov.Model([op.sigmoid(x)], [picture], "pullfocus-depth")  # pyright: ignore


def _rounded(x: Node, low: NDArray[np.floating], high: NDArray[np.floating], levels: int) -> Node:
    low_, high_ = _constant(low), _constant(high)
    return op.fake_quantize(x, low_, high_, low_, high_, levels)


def _normalised(picture: Node) -> Node:
    x = op.convert(op.transpose(picture, op.constant(np.array([0, 3, 1, 2]))), np.float32)
    mean, std = (np.array(v, np.float32)[None, :, None, None] * 255.0 for v in (MEAN, STD))
    return op.multiply(op.subtract(x, _constant(mean)), _constant(1.0 / std))


def _constant(values: NDArray[np.floating]) -> Node:
    return op.constant(np.ascontiguousarray(values, np.float32))
