"""The layers of `network.DepthNet`, once, for every runtime whose graph is built from the weight file alone.

Reads like the net's own forward pass. Batch norms are folded into the convolutions (Jacob et al. 2018,
arXiv:1712.05877, sec. 3.2), and the ImageNet normalisation is the graph's beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..kernels.errors import CheckpointError
from .checkpoint import Checkpoint
from .shape import BLOCKS, BN_EPSILON, MEAN, STD

V = TypeVar("V")


class Builder(Protocol[V]):
    """Operations of one runtime's graph. V: a value `1 c h w` in the graph. Each takes the name of what it makes."""

    def picture(self, mean: NDArray[np.float32], scale: NDArray[np.float32], name: str) -> V:
        """The graph's input, `1 h w 3` uint8, as (planes - mean) · scale. mean, scale: `1 3 1 1`."""
        ...

    def conv(
        self, x: V, weight: NDArray[np.floating], bias: NDArray[np.floating], stride: int, padding: int, name: str
    ) -> V:
        """weight: `out in k k`. bias: `out`. padding: zeros on each side."""
        ...

    def relu(self, x: V, name: str) -> V: ...

    def add(self, x: V, y: V, name: str) -> V: ...

    def pool(self, x: V, padding: int, ceil: bool, name: str) -> V:
        """The largest of 3×3, stride 2. ceil: a window that begins within the picture counts."""
        ...

    def double(self, x: V, name: str) -> V:
        """Each value four times: nearest neighbours at twice the height and width."""
        ...

    def concat(self, x: V, y: V, name: str) -> V:
        """The channels of `x`, then those of `y`."""
        ...

    def shuffle(self, x: V, name: str) -> V:
        """`1 4 h w` as `1 1 2h 2w`, as PyTorch's pixel_shuffle."""
        ...

    def sigmoid(self, x: V, name: str) -> V: ...


@dataclass(frozen=True, slots=True)
class DepthGraph(Generic[V]):
    """Builds the net of `checkpoint` with `builder`. Raises CheckpointError for an encoder that it does not know."""

    builder: Builder[V]
    checkpoint: Checkpoint

    def __post_init__(self) -> None:
        if self.checkpoint.encoder not in BLOCKS:
            raise CheckpointError(f"got encoder {self.checkpoint.encoder!r}, expected {', '.join(BLOCKS)}")

    def build(self) -> V:
        """Inverse depth, `1 1 h w`. Raises CheckpointError for a missing tensor."""
        b = self.builder
        s2 = self._conv_relu(b.picture(*_normalisation(), "normalised"), "encoder.conv1", "encoder.bn1", stride=2)
        s4 = self._stage(self._pool(s2), 1)
        s8 = self._stage(s4, 2)
        s16 = self._stage(s8, 3)
        x = self._conv(self._stage(s16, 4), "bottleneck")
        x = self._up(x, s16, "up16")
        x = self._up(x, s8, "up8")
        x = self._up(x, s4, "up4")
        x = self._up(x, s2, "up2")
        return b.sigmoid(b.shuffle(self._conv(x, "head"), "shuffled"), "sigmoid")

    def _pool(self, x: V) -> V:
        is_18 = self.checkpoint.encoder == "resnet18"
        return self.builder.pool(x, padding=1 if is_18 else 0, ceil=not is_18, name="pool")

    def _stage(self, x: V, index: int) -> V:
        for block in range(BLOCKS[self.checkpoint.encoder][index - 1]):
            x = self._block(x, f"encoder.layer{index}.{block}", stride=2 if block == 0 and index > 1 else 1)
        return x

    def _block(self, x: V, name: str, stride: int) -> V:
        last = 2 if self.checkpoint.encoder == "resnet18" else 3
        y = self._conv_relu(x, f"{name}.conv1", f"{name}.bn1", stride)
        for k in range(2, last):
            y = self._conv_relu(y, f"{name}.conv{k}", f"{name}.bn{k}")
        y = self._conv(y, f"{name}.conv{last}", f"{name}.bn{last}")
        if f"{name}.downsample.0.weight" in self.checkpoint.tensors:
            x = self._conv(x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
        return self.builder.relu(self.builder.add(x, y, name), f"{name}.relu")

    def _up(self, x: V, skip: V, name: str) -> V:
        joined = self.builder.concat(self.builder.double(x, f"{name}.grown"), skip, f"{name}.joined")
        y = self._conv_relu(joined, f"{name}.conv1", f"{name}.bn1")
        return self.builder.relu(self._conv(y, f"{name}.conv2", f"{name}.bn2"), f"{name}.relu")

    def _conv_relu(self, x: V, name: str, bn: str, stride: int = 1) -> V:
        return self.builder.relu(self._conv(x, name, bn, stride), f"{name}.relu")

    def _conv(self, x: V, name: str, bn: str | None = None, stride: int = 1) -> V:
        weight = self._tensor(f"{name}.weight")
        if bn is None:
            bias = self._tensor(f"{name}.bias")
        else:
            factor = self._tensor(f"{bn}.weight") / np.sqrt(self._tensor(f"{bn}.running_var") + BN_EPSILON)
            bias = self._tensor(f"{bn}.bias") - self._tensor(f"{bn}.running_mean") * factor
            weight = weight * factor[:, None, None, None]
        return self.builder.conv(x, weight, bias, stride, padding=weight.shape[2] // 2, name=name)

    def _tensor(self, key: str) -> NDArray[np.float32]:
        try:
            return self.checkpoint.tensors[key]
        except KeyError as error:
            raise CheckpointError(f"the weight file has no tensor {key!r}; it is damaged or of another net") from error


def _normalisation() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """ImageNet's mean, and one over its deviation, of values from 0 to 255: `1 3 1 1` each."""
    mean, std = (np.array(v, np.float32)[None, :, None, None] * np.float32(255.0) for v in (MEAN, STD))
    return mean, np.float32(1.0) / std
