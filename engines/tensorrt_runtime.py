"""TensorRT: built by Torch-TensorRT from our PyTorch net, strongly typed in half precision.

What is stored is TensorRT's own serialized engine. `torch_tensorrt.save` is not used: torch.export.load unpickles.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from ..kernels.api import InverseDepth, Picture
from ..kernels.errors import EngineError
from .cuda_errors import gpu_failures, library_failures
from .cuda_graph import FixedSizeNet
from .finding import TENSORRT_PACKAGES, version_of
from .gpu import Gpu
from .runtime import Net, Tell
from .torch_engine import Normaliser, load_net

GPU_0 = "cuda:0"  # with its number: Torch-TensorRT takes a device without one for none


class TensorRtRuntime:
    """Half precision is in the module that is exported: Torch-TensorRT keeps a module's own types (2.11 and later)."""

    name = "tensorrt"

    def __init__(self, gpu: Gpu, library: Any = None, reader: Any = None, device: str = GPU_0) -> None:
        """library: `torch_tensorrt`; reader: `tensorrt`; both are imported where None. Raises EngineError."""
        with library_failures("tensorrt: it cannot be imported"):
            self._library: Any = library or importlib.import_module("torch_tensorrt")
            self._reader: Any = reader or importlib.import_module("tensorrt")
        self._device = torch.device(device)
        self.detail = f"TensorRT {version_of(*TENSORRT_PACKAGES)}, float16, {gpu.name}"

    def compile(self, model: Path, size_hw: tuple[int, int], tell: Tell) -> bytes:
        tell("exporting the net")
        with library_failures("tensorrt: the net cannot be exported"):
            net = load_net(model).to(self._device, torch.float16)
            example = torch.zeros((1, 3, *size_hw), dtype=torch.float16, device=self._device)
            with torch.inference_mode(False), torch.no_grad():
                program = torch.export.export(net, (example,))
        tell("building with TensorRT")
        # Timings of kernels would be kept in a folder of /tmp that others can write to.
        with library_failures("tensorrt: it cannot be built"), TemporaryDirectory() as folder:
            data = self._library.dynamo.convert_exported_program_to_serialized_trt_engine(
                program,
                arg_inputs=[example],
                device=self._device,
                timing_cache_path=str(Path(folder) / "timings.bin"),
            )
        return bytes(data)

    def load(self, data: bytes, size_hw: tuple[int, int]) -> Net:
        with library_failures("tensorrt: the engine cannot be loaded"):
            inputs, outputs = self._names(data)
            module: nn.Module = self._library.dynamo.runtime.TorchTensorRTModule(
                serialized_engine=data,
                input_binding_names=inputs,
                output_binding_names=outputs,
                name="pullfocus",
            )
            normalised = Normaliser(self._device, torch.float16)

            def forward(picture: Tensor) -> Tensor:
                return module(normalised(picture).contiguous()).float()

            return _TensorRtNet(FixedSizeNet(forward, size_hw, self._device))

    def _names(self, data: bytes) -> tuple[list[str], list[str]]:
        """The engine's inputs and outputs. Raises EngineError where it is not of this TensorRT and GPU."""
        trt = self._reader
        engine = trt.Runtime(self._library.logging.TRT_LOGGER).deserialize_cuda_engine(data)
        if engine is None:
            raise EngineError("tensorrt: it does not take the engine: it is of another version or GPU")
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        return inputs, [name for name in names if name not in inputs]


class _TensorRtNet:
    """Its failures in one line."""

    def __init__(self, net: FixedSizeNet) -> None:
        self._net = net

    def __call__(self, picture: Picture) -> InverseDepth:
        with gpu_failures("tensorrt"):
            return self._net(picture)

    def there(self, picture: Tensor) -> Tensor:
        with gpu_failures("tensorrt"):
            return self._net.there(picture)
