"""Stand-ins for `torch_tensorrt` and `tensorrt`: they compute on the CPU, and every call must fit the real ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from .torch_tensorrt_signatures import OUT, signature_of

KNOWN: dict[str, Any] = json.loads(OUT.read_text())
VERSIONS = [version for version in KNOWN if version.startswith("torch_tensorrt")]
CONVERT = "dynamo.convert_exported_program_to_serialized_trt_engine"
MODULE = "dynamo.runtime.TorchTensorRTModule"


@dataclass
class FakeTorchTensorRt:
    """Every call must fit every version that is known. fault: is raised by the next build."""

    fault: Exception | None = None
    programs: dict[bytes, torch.export.ExportedProgram] = field(default_factory=dict[bytes, Any])
    calls: list[str] = field(default_factory=list[str])

    @property
    def dynamo(self) -> Any:
        return SimpleNamespace(
            convert_exported_program_to_serialized_trt_engine=self._convert,
            runtime=SimpleNamespace(TorchTensorRTModule=self._module),
        )

    @property
    def logging(self) -> Any:
        return SimpleNamespace(TRT_LOGGER="the logger")

    def _bound(self, call: str, *given: Any, **named: Any) -> dict[str, Any]:
        self.calls.append(call)
        arguments = dict[str, Any]()
        for version in VERSIONS:
            arguments = signature_of(KNOWN[version]["signatures"][call]).bind(*given, **named).arguments
            assert "kwargs" not in arguments, f"{call} of {version} ignores {arguments['kwargs']}"
        return arguments

    def _convert(self, *given: Any, **named: Any) -> bytes:
        arguments = self._bound(CONVERT, *given, **named)
        if self.fault is not None:
            raise self.fault
        device = arguments["device"]
        assert device.type == "cpu" or device.index is not None  # as in Device._from
        assert Path(arguments["timing_cache_path"]).parent.is_dir()
        (example,) = arguments["arg_inputs"]
        assert example.dtype == torch.float16
        data = b"TRT" + hashlib.sha256(repr(tuple(example.shape)).encode()).digest()
        self.programs[data] = arguments["exported_program"]
        return data

    def _module(self, *given: Any, **named: Any) -> nn.Module:
        arguments = self._bound(MODULE, *given, **named)
        assert (arguments["input_binding_names"], arguments["output_binding_names"]) == (["x"], ["output0"])
        program = self.programs[arguments["serialized_engine"]].module()

        class Contiguous(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                assert x.is_contiguous()
                assert x.dtype == torch.float16
                return program(x)

        return Contiguous()

    def reader(self) -> Any:
        """`tensorrt`, which names the bindings of an engine."""
        modes = {"x": "in", "output0": "out"}
        names = list(modes)
        engine = SimpleNamespace(num_io_tensors=2, get_tensor_name=names.__getitem__, get_tensor_mode=modes.__getitem__)

        def deserialize(data: bytes) -> Any:
            return engine if data in self.programs else None

        def runtime(logger: str) -> Any:
            assert logger == self.logging.TRT_LOGGER
            return SimpleNamespace(deserialize_cuda_engine=deserialize)

        return SimpleNamespace(Runtime=runtime, TensorIOMode=SimpleNamespace(INPUT="in"))
