"""The depth net: a ResNet encoder, a decoder with skip connections, inverse depth out.

The decoder is U-Net-like (Ronneberger et al. 2015, arXiv:1505.04597) and ends in a sub-pixel head
(Shi et al. 2016, arXiv:1609.05158): four inverse depths per stride-2 cell, shuffled to full size.
That costs a quarter of a full-size convolution and keeps edges one pixel wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .encoders import ENCODERS

FIRST_LOGIT = -1.7  # an untrained net says 0.15, some 3 m: the middle of a room, from where training starts
DECODER_CHANNELS = (128, 96, 64, 32)  # after strides 16, 8, 4 and 2


class Skips(NamedTuple):
    """Encoder features, one per stride from 2 to 32."""

    s2: Tensor
    s4: Tensor
    s8: Tensor
    s16: Tensor
    s32: Tensor


class UpBlock(nn.Module):
    """Double the size, join the skip, mix with two 3×3 convolutions."""

    def __init__(self, channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels + skip_channels, out_channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        x = functional.relu(self.bn1(self.conv1(torch.cat((x, skip), dim=1))))
        return functional.relu(self.bn2(self.conv2(x)))


class DepthNet(nn.Module):
    """Inverse depth from one picture.

    Input: `b 3 h w`, float, ImageNet-normalised RGB; h and w are multiples of 32.
    Output: `b 1 h w` in (0, 1): 0 = infinity, 1 = 0.5 m or nearer.
    """

    def __init__(self, encoder: str = "resnet18", up_block: Callable[[int, int, int], nn.Module] = UpBlock) -> None:
        """up_block: makes a decoder block from its channels in, those of the skip, and those out."""
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(f"unknown encoder {encoder!r}; known: {', '.join(ENCODERS)}")
        make, (c2, c4, c8, c16, c32), self.untrained = ENCODERS[encoder]
        d16, d8, d4, d2 = DECODER_CHANNELS
        self.encoder = make()
        del self.encoder.fc
        self.bottleneck = nn.Conv2d(c32, d16, 1)
        self.up16 = up_block(d16, c16, d16)
        self.up8 = up_block(d16, c8, d8)
        self.up4 = up_block(d8, c4, d4)
        self.up2 = up_block(d4, c2, d2)
        self.head = nn.Conv2d(d2, 4, 3, padding=1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, FIRST_LOGIT)

    def encode(self, x: Tensor) -> Skips:
        e = self.encoder
        s2 = e.relu(e.bn1(e.conv1(x)))
        s4 = e.layer1(e.maxpool(s2))
        s8 = e.layer2(s4)
        s16 = e.layer3(s8)
        return Skips(s2, s4, s8, s16, e.layer4(s16))

    def decode(self, skips: Skips) -> Iterator[Tensor]:
        """Decoder features at strides 16, 8, 4 and 2."""
        x = self.bottleneck(skips.s32)
        for up, skip in (
            (self.up16, skips.s16),
            (self.up8, skips.s8),
            (self.up4, skips.s4),
            (self.up2, skips.s2),
        ):
            x = up(x, skip)
            yield x

    def forward(self, x: Tensor) -> Tensor:
        *_, finest = self.decode(self.encode(x))
        return self.finish(finest)

    def finish(self, finest: Tensor) -> Tensor:
        """Inverse depth from the features at stride 2."""
        return torch.sigmoid(functional.pixel_shuffle(self.head(finest), 2))
