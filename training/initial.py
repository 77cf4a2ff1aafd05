"""Start a net from ImageNet weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from ..engines.network import DepthNet
from ..kernels.errors import CheckpointError


def load_encoder(net: DepthNet, path: Path) -> None:
    """Load ResNet weights with torchvision's keys into the encoder of `net`.

    For ResNet-50 the authors' own (Caffe) weights; torchvision's fit by name, but halve in another place.

    Stages in `net.untrained` keep their random start. Residual blocks that the file lacks start as
    identity: their last batch norm is zeroed (Goyal et al. 2017, arXiv:1706.02677).
    Raises CheckpointError when anything else is missing.
    """
    try:
        stored = load_file(path)
    except Exception as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error
    fresh = tuple(f"{stage}." for stage in net.untrained)
    state = {key: value.float() for key, value in stored.items() if not key.startswith(fresh)}
    try:
        result = net.encoder.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: tensors do not fit the encoder: {str(error).splitlines()[-1].strip()}"
        ) from error
    missing = (key for key in result.missing_keys if not key.startswith(fresh))
    absent = {key for key in missing if not key.endswith("num_batches_tracked")}
    blocks = {".".join(key.split(".")[:2]) for key in absent}
    for name in blocks:
        _make_identity(net.encoder, name, path, state)


def _make_identity(encoder: nn.Module, block: str, path: Path, state: dict[str, torch.Tensor]) -> None:
    present = any(key.startswith(f"{block}.") for key in state)
    module = dict(encoder.named_modules()).get(block)
    last_norm = getattr(module, "bn3", getattr(module, "bn2", None))
    if present or not isinstance(last_norm, nn.BatchNorm2d) or getattr(module, "downsample", None) is not None:
        raise CheckpointError(f"{path}: lacks weights of {block}; expected a torchvision ResNet state dict")
    nn.init.zeros_(last_norm.weight)
    nn.init.zeros_(last_norm.bias)
