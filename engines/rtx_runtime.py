"""TensorRT for RTX, as a plug-in of ONNX Runtime: it needs neither torch nor NVIDIA's package index.

What is stored is an ONNX file that holds the compiled engine ("EP context"). The plug-in finishes kernels for the
card when it loads it; its own cache of those is not used, for nothing would check those files.
"""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path
from typing import Any

from ..kernels.errors import EngineError
from . import checkpoint, onnx_graph
from .api import Say, to_stderr
from .cuda_errors import library_failures
from .finding import RTX_PACKAGES, version_of
from .gpu import Gpu
from .rtx_net import RtxNet
from .runtime import Tell

PLUGIN = "onnxruntime_ep_nv_tensorrt_rtx"
# A net that is computed on the CPU without a word would be slower than ours there.
NO_CPU = ("session.disable_cpu_ep_fallback", "1")


class RtxRuntime:
    """Half precision is in the ONNX graph: TensorRT for RTX keeps a graph's own types."""

    name = "tensorrt-rtx"

    def __init__(self, gpu: Gpu, library: Any = None, plugin: Any = None, say: Say = to_stderr) -> None:
        """library: `onnxruntime`; plugin: NVIDIA's module; both are imported where None.

        say: is told when a net does not take pictures on the GPU in place. Raises EngineError.
        """
        with library_failures("tensorrt-rtx: it cannot be imported"):
            self._library: Any = library or importlib.import_module("onnxruntime")
            self._plugin: Any = plugin or importlib.import_module(PLUGIN)
        with library_failures("tensorrt-rtx: its plug-in cannot be loaded"):
            self._devices = self._find_devices()
        if not self._devices:
            raise EngineError(f"tensorrt-rtx: its plug-in does not take this GPU ({gpu.name}, {gpu.sm})")
        self._say = say
        self.detail = f"TensorRT-RTX plug-in {version_of(*RTX_PACKAGES)}, float16, {gpu.name}"

    def compile(self, model: Path, size_hw: tuple[int, int], tell: Tell) -> bytes:
        tell("writing the net as ONNX")
        graph = onnx_graph.build(checkpoint.load(model), size_hw, half=True)
        tell("building with TensorRT for RTX")
        with library_failures("tensorrt-rtx: it cannot be built"):
            compiler = self._library.ModelCompiler(self._options({}), graph, embed_compiled_data_into_model=True)
            return bytes(compiler.compile_to_bytes())

    def load(self, data: bytes, size_hw: tuple[int, int]) -> RtxNet:
        with library_failures("tensorrt-rtx: the engine cannot be loaded"):
            session = self._session(data, {})
            wanted = [1, *size_hw, 3]
            if (got := session.get_inputs()[0].shape) != wanted:
                raise EngineError(f"tensorrt-rtx: the engine takes {got}, expected {wanted}")
        return RtxNet(self._library, session, size_hw, partial(self._on_stream, data), self._say)

    def _on_stream(self, data: bytes, handle: int) -> Any:
        """A session whose work all goes to a `cudaStream_t` of ours."""
        return self._session(data, {"has_user_compute_stream": "1", "user_compute_stream": str(handle)})

    def _session(self, data: bytes, chosen: dict[str, str]) -> Any:
        return self._library.InferenceSession(data, sess_options=self._options(chosen))

    def _options(self, chosen: dict[str, str]) -> Any:
        """chosen: of the plug-in's own options."""
        options = self._library.SessionOptions()
        options.add_session_config_entry(*NO_CPU)
        options.log_severity_level = 3  # errors; warnings go to stderr in many lines
        # Without `enable_cuda_graph`: ONNX Runtime chooses the buffers anew at every run, and a graph has them in it.
        options.add_provider_for_devices(self._devices[:1], chosen)
        return options

    def _find_devices(self) -> list[Any]:
        if not (found := self._devices_of_plugin()):  # ONNX Runtime keeps a plug-in for the process
            path = self._plugin.get_library_path()
            self._library.register_execution_provider_library(self._plugin.get_ep_name(), path)
            found = self._devices_of_plugin()
        return found

    def _devices_of_plugin(self) -> list[Any]:
        return [device for device in self._library.get_ep_devices() if device.ep_name == self._plugin.get_ep_name()]
