"""The net of `graph.py` as an ONNX model, written from the weight file alone: no torch, no exporter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..kernels.errors import CheckpointError
from .checkpoint import Checkpoint
from .graph import DepthGraph

OPSET, IR_VERSION = 17, 8  # old enough for every ONNX Runtime that takes plug-ins
PICTURE, DEPTH = "picture", "inverse_depth"


@dataclass(frozen=True, slots=True)
class _OnnxBuilder:
    """A value is the name of the node that makes it. dtype: what the net computes in."""

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

    def picture(self, mean: NDArray[np.float32], scale: NDArray[np.float32], name: str) -> str:
        # TensorRT takes bytes only to cast them at once. The normalisation is in float32 always.
        x = self.op("Cast", [PICTURE], "floats", to=TensorProto.FLOAT)
        x = self.op("Transpose", [x], "planes", perm=[0, 3, 1, 2])
        x = self.op("Sub", [x, self.constant("mean", mean)], "centred")
        x = self.op("Mul", [x, self.constant("scale", scale)], name)
        return self.op("Cast", [x], "input", to=helper.np_dtype_to_tensor_dtype(self.dtype))

    def conv(
        self, x: str, weight: NDArray[np.floating], bias: NDArray[np.floating], stride: int, padding: int, name: str
    ) -> str:
        kernel = self.constant(f"{name}.weight", weight.astype(self.dtype))
        offset = self.constant(f"{name}.bias", bias.astype(self.dtype))
        return self.op("Conv", [x, kernel, offset], name, strides=[stride, stride], pads=[padding] * 4)

    def relu(self, x: str, name: str) -> str:
        return self.op("Relu", [x], name)

    def add(self, x: str, y: str, name: str) -> str:
        return self.op("Add", [x, y], name)

    def pool(self, x: str, padding: int, ceil: bool, name: str) -> str:
        return self.op(
            "MaxPool", [x], name, kernel_shape=[3, 3], strides=[2, 2], pads=[padding] * 4, ceil_mode=int(ceil)
        )  # fmt: skip

    def double(self, x: str, name: str) -> str:
        scales = self.constant("double", np.array([1.0, 1.0, 2.0, 2.0], np.float32))
        return self.op(
            "Resize", [x, "", scales], name,
            mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )  # fmt: skip

    def concat(self, x: str, y: str, name: str) -> str:
        return self.op("Concat", [x, y], name, axis=1)

    def shuffle(self, x: str, name: str) -> str:
        return self.op("DepthToSpace", [x], name, blocksize=2, mode="CRD")

    def sigmoid(self, x: str, name: str) -> str:
        return self.op("Sigmoid", [x], name)


def build(checkpoint: Checkpoint, size_hw: tuple[int, int], half: bool = False) -> bytes:
    """The model, serialized: input `picture`, `1 h w 3` uint8 RGB; output `inverse_depth`, `1 1 h w` float32.

    half: compute the net in float16. Raises CheckpointError.
    """
    builder = _OnnxBuilder(np.dtype(np.float16 if half else np.float32))
    try:
        builder.op("Cast", [DepthGraph(builder, checkpoint).build()], DEPTH, to=TensorProto.FLOAT)
        model = _model(builder, size_hw)
        onnx.checker.check_model(model, full_check=True)
    except (ValueError, IndexError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        last = str(error).strip().splitlines()[-1]
        raise CheckpointError(f"tensors do not fit {checkpoint.encoder}: {last}") from error
    return model.SerializeToString()


def _model(builder: _OnnxBuilder, size_hw: tuple[int, int]) -> onnx.ModelProto:
    graph = helper.make_graph(
        builder.nodes,
        "pullfocus-depth",
        [helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, [1, *size_hw, 3])],
        [helper.make_tensor_value_info(DEPTH, TensorProto.FLOAT, [1, 1, *size_hw])],
        list(builder.constants.values()),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
