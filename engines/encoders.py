"""The encoders: ResNets (He et al. 2016, arXiv:1512.03385) without their classifier."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import nn
from torchvision.models import ResNet, resnet18
from torchvision.models.resnet import Bottleneck

NARROW = 256  # width of ResNet-50's last stage here; its outputs are four times as many


class Encoder(NamedTuple):
    """How an encoder is made, its channels at strides 2 to 32, and its stages that have no ImageNet weights."""

    make: Callable[[], ResNet]
    channels: tuple[int, int, int, int, int]
    untrained: tuple[str, ...] = ()


def _resnet18() -> ResNet:
    return resnet18(weights=None)


def _resnet50() -> ResNet:
    """The authors' own ResNet-50, not torchvision's: stride 2 sits in the first 1×1, the pooling pads at the end only.

    Its last stage is one block of half the width: ImageNet's has 15 of the 23.5 million numbers, more
    than some thousand pictures of depth can teach, and they would be a file of 15 MB more.
    """
    net = ResNet(Bottleneck, [3, 4, 6, 1])
    net.maxpool = nn.MaxPool2d(3, stride=2, padding=0, ceil_mode=True)
    inputs, outputs = 4 * NARROW, NARROW * Bottleneck.expansion
    shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))
    net.layer4 = nn.Sequential(Bottleneck(inputs, NARROW, stride=2, downsample=shortcut))
    for stage in (net.layer2, net.layer3, net.layer4):
        first = stage[0]
        assert isinstance(first, Bottleneck)
        first.conv1.stride, first.conv2.stride = (2, 2), (1, 1)
    return net


ENCODERS = {
    "resnet18": Encoder(_resnet18, (64, 64, 128, 256, 512)),
    "resnet50": Encoder(_resnet50, (64, 256, 512, 1024, 1024), untrained=("layer4",)),
}
