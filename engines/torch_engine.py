"""The depth net in PyTorch: the reference that other engines are checked against."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..kernels.api import Device, InverseDepth, Picture, Quality
from ..kernels.errors import CheckpointError, EngineError
from . import checkpoint
from .api import Say, to_stderr
from .cuda_errors import gpu_failures, is_out_of_memory
from .cuda_graph import FixedSizeNet, Recorder, record_graph
from .encoders import ENCODERS
from .network import DepthNet
from .shape import MEAN, STD, net_size, shrunk_to
from .there import is_there


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
    """The net through PyTorch, channels-last: eager fp32 on the CPU, fp16 as a CUDA graph on a GPU."""

    name = "torch"

    def __init__(
        self,
        model: Path,
        device: Device = "cpu",
        quality: Quality = "fast",
        say: Say = to_stderr,
        record: Recorder | None = None,
    ) -> None:
        """say: is told when CUDA graphs do not work here. record: as of `FixedSizeNet`; None: a CUDA graph on CUDA.

        Raises EngineError, CheckpointError.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineError("--device cuda: PyTorch sees no NVIDIA GPU; install a driver, or use --device cpu")
        self._quality: Quality = quality
        self._device = torch.device(device)
        self._dtype = torch.float16 if device == "cuda" else torch.float32
        net = load_net(model)
        with gpu_failures("torch on CUDA"):
            net = net.to(self._device, self._dtype)
            self._net = net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            self._normalised = Normaliser(self._device, self._dtype)
        self._say, self._record = say, record or (record_graph if device == "cuda" else None)
        self._fixed: tuple[tuple[int, int], FixedSizeNet] | None = None
        self.detail = f"PyTorch {torch.__version__}, {str(self._dtype).removeprefix('torch.')}, {device}"

    def infer(self, picture: Picture) -> InverseDepth:
        size_hw = net_size(picture.shape[0], picture.shape[1], self._quality)
        with gpu_failures("torch on CUDA" if self._device.type == "cuda" else "torch"):
            net = self._of_size(size_hw)
            if is_there(picture, self._device.type):
                return picture.depth(net.there(picture.tensor(size_hw)))
            return net(shrunk_to(picture, size_hw))

    def _of_size(self, size_hw: tuple[int, int]) -> FixedSizeNet:
        """The net for that size; the one for the last size is let go, for each holds GPU memory of its own."""
        if self._fixed is None or self._fixed[0] != size_hw:
            self._fixed = None
            self._fixed = size_hw, self._made(size_hw)
        return self._fixed[1]

    def _made(self, size_hw: tuple[int, int]) -> FixedSizeNet:
        if self._record is not None:
            try:
                return FixedSizeNet(self._forward, size_hw, self._device, self._record)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                self._record = None
                self._say(f"torch runs without a CUDA graph, and slower: {str(error).strip().splitlines()[0]}")
        return FixedSizeNet(self._forward, size_hw, self._device)

    def _forward(self, picture: Tensor) -> Tensor:
        x = self._normalised(picture).to(memory_format=torch.channels_last)
        return self._net(x).float()


class Normaliser:
    """From an `h w 3` uint8 picture to the net's `1 3 h w` input, on one device."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._mean, self._std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))

    def __call__(self, picture: Tensor) -> Tensor:
        x = picture.permute(2, 0, 1)[None].float() / 255.0
        return ((x - self._mean) / self._std).to(self._dtype)
