"""Inverse depth from a net, as training, evaluation and figures ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..engines import checkpoint
from ..engines.shape import MEAN, STD, net_size
from ..kernels.api import Quality
from .variants import saved_net

Predict = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
UNIT_IN_10_M = 0.05  # inverse depth is 0.5 m / z; the report's depth is z / 10 m


@dataclass(frozen=True, slots=True)
class Manner:
    """How a net is asked: what its output means, and at which size it looks.

    size_hw: a fixed size in pixels; None: as the engines choose it for a picture's shape and `quality`.
    """

    output: str = checkpoint.INVERSE_DEPTH
    size_hw: tuple[int, int] | None = None
    quality: Quality = "fast"

    def size_for(self, picture: NDArray[np.uint8]) -> tuple[int, int]:
        """(h, w) in pixels for one picture."""
        return self.size_hw or net_size(picture.shape[0], picture.shape[1], self.quality)


def normalised(images: Tensor) -> Tensor:
    """What the net takes: `b 3 h w` RGB in [0, 1] with ImageNet's mean and standard deviation taken out."""
    mean, std = (images.new_tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std


def predictor(net: nn.Module, manner: Manner) -> Predict:
    """A function from `h w 3` uint8 RGB to `h' w'` float32 inverse depth at the net's size, on the net's device."""
    device = next(net.parameters()).device
    net.eval()

    @torch.inference_mode()
    def predict(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        height, width = manner.size_for(image)
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy(small).to(device).permute(2, 0, 1)[None].float() / 255.0
        out = net(normalised(x))[0, 0].float().cpu().numpy()
        return out if manner.output == checkpoint.INVERSE_DEPTH else _from_depth(out)

    return predict


def _from_depth(depth_10m: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.minimum(np.float32(UNIT_IN_10_M) / np.maximum(depth_10m, np.float32(1e-6)), np.float32(1.0))


def load_predictor(model: str, quality: Quality = "fast") -> Predict:
    """The predictor of a shipped net or weight file, in float32, on a GPU where there is one.

    A net that gives depth (the report's) looks at the size that it was trained at.
    Raises InputError, CheckpointError.
    """
    path = checkpoint.locate(model)
    saved = checkpoint.load(path, any_net=True)
    output = saved.notes.get("output", checkpoint.INVERSE_DEPTH)
    size_hw = None if output == checkpoint.INVERSE_DEPTH else _trained_hw(saved.notes["config"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return predictor(saved_net(saved, path).to(device), Manner(output, size_hw, quality))


def _trained_hw(config: str) -> tuple[int, int]:
    first = json.loads(config)["sizes"][0]
    return int(first["height"]), int(first["width"])
