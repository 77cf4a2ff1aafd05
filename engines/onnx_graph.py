"""`network.DepthNet` as an ONNX model, written from the weight file alone: no torch, no exporter.

The same shape as `openvino_graph`: batch norms are folded into the convolutions (Jacob et al. 2018,
arXiv:1712.05877, sec. 3.2); the ImageNet normalisation is the graph's beginning, in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..kernels.errors import CheckpointError
from .checkpoint import Checkpoint
from .shape import BLOCKS, BN_EPSILON, MEAN, STD

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime that takes plug-ins
PICTURE, DEPTH = "picture", "inverse_depth"


@dataclass(slots=True)
class _Builder:
    encoder: str
    tensors: Mapping[str, NDArray[np.float32]]
    dtype: np.dtype[np.floating]
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict[str, onnx.TensorProto])

    def op(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Adds a node; its output has its name."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def tensor(self, key: str) -> NDArray[np.float32]:
        try:
            return self.tensors[key]
        except KeyError as error:
            raise CheckpointError(f"the weight file has no tensor {key!r}; it is damaged or of another net") from error

    def conv(self, x: str, name: str, bn: str | None = None, stride: int = 1) -> str:
        weight = self.tensor(f"{name}.weight")
        if bn is None:
            bias = self.tensor(f"{name}.bias")
        else:
            factor = self.tensor(f"{bn}.weight") / np.sqrt(self.tensor(f"{bn}.running_var") + BN_EPSILON)
            bias = self.tensor(f"{bn}.bias") - self.tensor(f"{bn}.running_mean") * factor
            weight = weight * factor[:, None, None, None]
        kernel = self.constant(f"{name}.weight", weight.astype(self.dtype))
        offset = self.constant(f"{name}.bias", bias.astype(self.dtype))
        pads = [weight.shape[2] // 2] * 4
        return self.op("Conv", [x, kernel, offset], name, strides=[stride, stride], pads=pads)

    def relu(self, x: str) -> str:
        return self.op("Relu", [x], f"{x}.relu")

    def block(self, x: str, name: str, stride: int) -> str:
        convolutions, y = 2 if self.encoder == "resnet18" else 3, x
        for k in range(1, convolutions + 1):
            y = self.conv(y, f"{name}.conv{k}", f"{name}.bn{k}", stride if k == 1 else 1)
            y = self.relu(y) if k < convolutions else y
        if f"{name}.downsample.0.weight" in self.tensors:
            x = self.conv(x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
        return self.relu(self.op("Add", [x, y], name))

    def stage(self, x: str, index: int) -> str:
        for block in range(BLOCKS[self.encoder][index - 1]):
            x = self.block(x, f"encoder.layer{index}.{block}", stride=2 if block == 0 and index > 1 else 1)
        return x

    def pool(self, x: str) -> str:
        begin, ceil = (1, 0) if self.encoder == "resnet18" else (0, 1)
        return self.op(
            "MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[begin] * 4, ceil_mode=ceil
        )  # fmt: skip

    def up(self, x: str, skip: str, name: str) -> str:
        scales = self.constant("double", np.array([1.0, 1.0, 2.0, 2.0], np.float32))
        x = self.op(
            "Resize", [x, "", scales], f"{name}.grown",
            mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )  # fmt: skip
        joined = self.op("Concat", [x, skip], f"{name}.joined", axis=1)
        y = self.relu(self.conv(joined, f"{name}.conv1", f"{name}.bn1"))
        return self.relu(self.conv(y, f"{name}.conv2", f"{name}.bn2"))


def build(checkpoint: Checkpoint, size_hw: tuple[int, int], half: bool = False) -> bytes:
    """The model, serialized: input `picture`, `1 h w 3` uint8 RGB; output `inverse_depth`, `1 1 h w` float32.

    half: compute the net in float16. Raises CheckpointError.
    """
    if checkpoint.encoder not in BLOCKS:
        raise CheckpointError(f"got encoder {checkpoint.encoder!r}, expected {', '.join(BLOCKS)}")
    builder = _Builder(checkpoint.encoder, checkpoint.tensors, np.dtype(np.float16 if half else np.float32))
    try:
        _net(builder)
        model = _model(builder, size_hw)
        onnx.checker.check_model(model, full_check=True)
    except (ValueError, IndexError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        last = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"tensors do not fit {checkpoint.encoder}: {last}") from error
    return model.SerializeToString()


def _model(builder: _Builder, size_hw: tuple[int, int]) -> onnx.ModelProto:
    graph = helper.make_graph(
        builder.nodes,
        "pullfocus-depth",
        [helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, [1, *size_hw, 3])],
        [helper.make_tensor_value_info(DEPTH, TensorProto.FLOAT, [1, 1, *size_hw])],
        list(builder.constants.values()),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _net(b: _Builder) -> None:
    s2 = b.relu(b.conv(_normalised(b), "encoder.conv1", "encoder.bn1", stride=2))
    s4 = b.stage(b.pool(s2), 1)
    s8 = b.stage(s4, 2)
    s16 = b.stage(s8, 3)
    x = b.conv(b.stage(s16, 4), "bottleneck")
    x = b.up(x, s16, "up16")
    x = b.up(x, s8, "up8")
    x = b.up(x, s4, "up4")
    x = b.up(x, s2, "up2")
    x = b.op("DepthToSpace", [b.conv(x, "head")], "shuffled", blocksize=2, mode="CRD")
    b.op("Cast", [b.op("Sigmoid", [x], "sigmoid")], DEPTH, to=TensorProto.FLOAT)


def _normalised(b: _Builder) -> str:
    # TensorRT takes bytes only to cast them at once.
    x = b.op("Cast", [PICTURE], "floats", to=TensorProto.FLOAT)
    x = b.op("Transpose", [x], "planes", perm=[0, 3, 1, 2])
    mean, std = (np.array(v, np.float32)[None, :, None, None] * np.float32(255.0) for v in (MEAN, STD))
    x = b.op("Sub", [x, b.constant("mean", mean)], "centred")
    x = b.op("Mul", [x, b.constant("scale", np.float32(1.0) / std)], "normalised")
    return b.op("Cast", [x], "input", to=helper.np_dtype_to_tensor_dtype(b.dtype))
