"""Nets that training can try against the shipped one. Each must earn its place in the ablation table.

Several outputs only help to train: such a net is saved as the plain one. What stays in the net (another
decoder, attention) is saved with a note, and runs in PyTorch only: `pullfocus evaluate` and `figure` take
it, the engines do not.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..engines.checkpoint import Checkpoint
from ..engines.network import DECODER_CHANNELS, FIRST_LOGIT, DepthNet, UpBlock
from ..engines.torch_engine import filled, net_of
from .config import Config, Net

HEADS = 4
SIDE_HEADS = "side_heads."  # tensors that only help to train


class ThinBlock(nn.Module):
    """Double the size, join the skip, mix with one 3×3 convolution."""

    def __init__(self, channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(*_conv(channels + skip_channels, out_channels), nn.ReLU())

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.mix(torch.cat((functional.interpolate(x, scale_factor=2.0, mode="nearest"), skip), dim=1))


class UpProjection(nn.Module):
    """Double the size with a residual branch. Laina et al. 2016 (arXiv:1606.00373), sec. 3.2.

    The skip joins first, as in `UpBlock`. The paper unpools with zeros and convolves 5×5; this doubles
    each cell and convolves 3×3, which meets as many cells that are not 0.
    """

    def __init__(self, channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        joined = channels + skip_channels
        self.long = nn.Sequential(*_conv(joined, out_channels), nn.ReLU(), *_conv(out_channels, out_channels))
        self.short = nn.Sequential(*_conv(joined, out_channels))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = torch.cat((functional.interpolate(x, scale_factor=2.0, mode="nearest"), skip), dim=1)
        return functional.relu(self.long(x) + self.short(x))


def _conv(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)


class Attention(nn.Module):
    """A transformer layer (Vaswani et al. 2017, arXiv:1706.03762) over the cells of a `b c h w` map.

    Normalisation comes first (Xiong et al. 2020, arXiv:2002.04745), positions are sines of both
    coordinates, and the layer starts as identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.joined = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        for last in (self.joined, self.narrow):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + self._attended(tokens + _positions(x.shape[1], height, width).to(tokens))
        tokens = tokens + self.narrow(functional.relu(self.wide(self.norm2(tokens))))
        return tokens.transpose(1, 2).reshape(x.shape)

    def _attended(self, tokens: Tensor) -> Tensor:
        queries, keys, values = (
            part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in self.qkv(self.norm1(tokens)).chunk(3, dim=2)
        )
        mixed = functional.scaled_dot_product_attention(queries, keys, values)
        return self.joined(mixed.transpose(1, 2).flatten(2))


def _positions(channels: int, height: int, width: int) -> Tensor:
    """`h·w c`: a quarter of the channels each for the sine and the cosine of y and of x."""
    count = channels // 4
    rates = torch.exp(torch.arange(count) * (-math.log(100.0) / count))
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    angles = [axis.reshape(-1, 1) * rates for axis in (y, x)]
    return torch.cat([part for angle in angles for part in (angle.sin(), angle.cos())], dim=1)


BLOCKS = {"unet": UpBlock, "thin": ThinBlock, "up_projection": UpProjection}


class VariantNet(DepthNet):
    """`DepthNet` as a config wants it.

    With several scales a forward pass in training gives a list, `b 1 h w` at full size first, then at strides 4, 8
    and 16 (Godard et al. 2017, arXiv:1609.03677, sec. 3.3), otherwise the one map.
    """

    def __init__(self, wanted: Net) -> None:
        super().__init__(wanted.encoder, BLOCKS[wanted.decoder])
        d16, d8, d4, _ = DECODER_CHANNELS
        if wanted.attention:
            self.bottleneck = nn.Sequential(self.bottleneck, Attention(d16))
        self.side_heads = nn.ModuleList(_side_head(channels) for channels in (d4, d8, d16) if wanted.multi_scale)

    # Data-parallel training sees nothing but `forward`, so the side outputs must come from it.
    def forward(self, x: Tensor) -> Tensor | list[Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not (self.training and self.side_heads):
            return super().forward(x)
        *coarse, finest = self.decode(self.encode(x))
        sides = [torch.sigmoid(head(features)) for head, features in zip(self.side_heads, reversed(coarse))]
        return [self.finish(finest), *sides]


def _side_head(channels: int) -> nn.Conv2d:
    head = nn.Conv2d(channels, 1, 3, padding=1)
    assert head.bias is not None
    nn.init.constant_(head.bias, FIRST_LOGIT)
    return head


def saved_net(saved: Checkpoint, path: Path) -> DepthNet:
    """The net of any weight file that training has written, in eval mode. Raises CheckpointError."""
    if not saved.notes.get("variant"):
        return net_of(saved, path)
    wanted = Config.model_validate_json(saved.notes["config"]).net
    return filled(VariantNet(wanted.model_copy(update={"multi_scale": False})), saved, path)
