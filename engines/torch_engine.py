"""The depth net in PyTorch: the reference that other engines are checked against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..kernels.api import Device, InverseDepth, Picture, Quality
from ..kernels.errors import CheckpointError, EngineError
from . import checkpoint
from .encoders import ENCODERS
from .network import DepthNet
from .shape import MEAN, STD, net_size, shrunk_to


def load_net(path: Path) -> DepthNet:
    """The net of a weight file, in eval mode, float32, on the CPU. Raises CheckpointError."""
    return net_of(checkpoint.load(path), path)


def net_of(saved: checkpoint.Checkpoint, path: Path) -> DepthNet:
    """The net of what `path` held, in eval mode, float32, on the CPU. Raises CheckpointError."""
    if saved.encoder not in ENCODERS:
        raise CheckpointError(f"{path}: got encoder {saved.encoder!r}, expected {', '.join(ENCODERS)}")
    return filled(DepthNet(saved.encoder), saved, path)


def filled(net: DepthNet, saved: checkpoint.Checkpoint, path: Path) -> DepthNet:
    """`net` with the tensors of what `path` held, in eval mode. Raises CheckpointError when they do not fit."""
    state = {key: torch.from_numpy(tensor) for key, tensor in saved.tensors.items()}
    try:
        missing, unexpected = net.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: tensors do not fit {saved.encoder}: {str(error).splitlines()[-1]}") from error
    absent = [key for key in missing if not key.endswith("num_batches_tracked")]
    if absent or unexpected:
        raise CheckpointError(f"{path}: {len(absent)} tensors missing, {len(unexpected)} unknown for {saved.encoder}")
    return net.eval()


class TorchEngine:
    """The net through eager PyTorch; channels-last, fp16 on CUDA and fp32 on the CPU."""

    name = "torch"

    def __init__(self, model: Path, device: Device = "cpu", quality: Quality = "fast") -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineError("--device cuda: PyTorch sees no NVIDIA GPU; install a driver, or use --device cpu")
        self._quality: Quality = quality
        self._device = torch.device(device)
        self._dtype = torch.float16 if device == "cuda" else torch.float32
        net = load_net(model)
        net = net.to(self._device, self._dtype)
        self._net = net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self._mean, self._std = (torch.tensor(v, device=self._device).view(1, 3, 1, 1) for v in (MEAN, STD))
        self.detail = f"PyTorch {torch.__version__}, {str(self._dtype).removeprefix('torch.')}, {device}"

    @torch.inference_mode()
    def infer(self, picture: Picture) -> InverseDepth:
        small = shrunk_to(picture, net_size(picture.shape[0], picture.shape[1], self._quality))
        x = torch.from_numpy(small).to(self._device).permute(2, 0, 1)[None].float() / 255.0
        x = ((x - self._mean) / self._std).to(self._dtype, memory_format=torch.channels_last)
        return self._net(x)[0, 0].float().cpu().numpy().astype(np.float32, copy=False)
