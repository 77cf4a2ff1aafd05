"""ONNX Runtime with NVIDIA's plug-in, played: it computes on the CPU, and every call must fit the real one."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from pullfocus.engines.onnx_graph import DEPTH, IR_VERSION, OPSET, PICTURE

from .cuda_shim.card import LateCard, LateLane

NAME = "NvTensorRTRTXExecutionProvider"
PLUGIN = SimpleNamespace(get_ep_name=lambda: NAME, get_library_path=lambda: "/there/plugin.so")
NO_WAIT = "disable_synchronize_execution_providers"


def on_cpu(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def brightness_model(size_hw: tuple[int, int]) -> bytes:
    """Takes and gives what our net does; its inverse depth is the mean of the three colours."""
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    white = numpy_helper.from_array(np.array(255.0, np.float32), "white")
    nodes = [
        helper.make_node("Cast", [PICTURE], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["grey"], axes=[3], keepdims=0),
        helper.make_node("Div", ["grey", "white"], ["light"]),
        helper.make_node("Unsqueeze", ["light", "axes"], [DEPTH]),
    ]
    picture = helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, [1, *size_hw, 3])
    depth = helper.make_tensor_value_info(DEPTH, TensorProto.FLOAT, [1, 1, *size_hw])
    graph = helper.make_graph(nodes, "brightness", [picture], [depth], [axes, white])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


@dataclass
class PlayedBinding:
    """What was bound last, by name."""

    inputs: dict[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    outputs: dict[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    keeps_the_first: bool = False

    def bind_input(self, *given: Any) -> None:
        bound = inspect.signature(onnxruntime.IOBinding.bind_input).bind(self, *given).arguments
        if not (self.keeps_the_first and self.inputs):
            self.inputs[bound["name"]] = given

    def bind_output(self, *given: Any) -> None:
        bound = inspect.signature(onnxruntime.IOBinding.bind_output).bind(self, *given).arguments
        assert bound["buffer_ptr"] is not None
        self.outputs[bound["name"]] = given


@dataclass
class PlayedSession:
    """A session on the CPU. lane: its work is queued there, as a plug-in does on a stream; None: done at once."""

    real: onnxruntime.InferenceSession
    library: FakeOnnxRuntime
    lane: LateLane | None = None

    def __getattr__(self, name: str) -> Any:
        assert name in ("run", "get_inputs", "get_input_memory_infos", "get_output_memory_infos"), name
        return getattr(self.real, name)

    def io_binding(self) -> PlayedBinding:
        return PlayedBinding(keeps_the_first=self.library.fault == "keeps the first picture")

    def run_with_iobinding(self, *given: Any) -> None:
        called = inspect.signature(onnxruntime.InferenceSession.run_with_iobinding).bind(self, *given).arguments
        binding, options = called["iobinding"], called["run_options"]
        assert options.get_run_config_entry(NO_WAIT) == "1"
        if self.library.fault == "cannot run":
            raise RuntimeError("CUDA failure 700: an illegal memory access was encountered\nadvice")
        inputs, outputs = list(binding.inputs.values()), list(binding.outputs.values())
        if self.lane is None:
            self._run(inputs, outputs, options)
        else:
            self.lane.do(lambda: self._run(inputs, outputs, options))

    def _run(self, inputs: list[Any], outputs: list[Any], options: Any) -> None:
        binding = self.real.io_binding()
        for given in inputs:
            binding.bind_input(*given)
        for given in outputs:
            binding.bind_output(*given)
        self.real.run_with_iobinding(binding, options)
        assert [value.data_ptr() for value in binding.get_outputs()] == [given[-1] for given in outputs]


@dataclass
class FakeOnnxRuntime:
    """devices: of the plug-in. card: has the lanes of the streams that sessions are given.

    fault: what goes wrong on pictures in place. opened: the plug-in's options of each session.
    """

    devices: list[str] = field(default_factory=lambda: [NAME])
    card: LateCard | None = None
    fault: str = ""
    registered: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    opened: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    __version__ = onnxruntime.__version__
    OrtDevice, RunOptions = onnxruntime.OrtDevice, onnxruntime.RunOptions

    def register_execution_provider_library(self, name: str, path: str) -> None:
        assert name not in [each for each, _ in self.registered]  # ONNX Runtime refuses it
        self.registered.append((name, path))

    def get_ep_devices(self) -> list[Any]:
        names = ["CPUExecutionProvider", *(self.devices if self.registered else [])]
        return [SimpleNamespace(ep_name=name) for name in names]

    def SessionOptions(self) -> Any:  # noqa: N802
        options = SimpleNamespace(entries={}, providers=[], log_severity_level=0)
        assert all(hasattr(onnxruntime.SessionOptions(), method) for method in (
            "add_session_config_entry", "add_provider_for_devices", "log_severity_level",
        ))  # fmt: skip
        options.add_session_config_entry = options.entries.__setitem__

        def add_provider(devices: list[Any], chosen: dict[str, str]) -> None:
            options.providers.append((devices, chosen))

        options.add_provider_for_devices = add_provider
        return options

    def ModelCompiler(self, *given: Any, **named: Any) -> Any:  # noqa: N802
        bound = inspect.signature(onnxruntime.ModelCompiler).bind(*given, **named).arguments
        assert bound["embed_compiled_data_into_model"] is True
        assert self._chosen(bound["sess_options"]) == {}
        assert hasattr(onnxruntime.ModelCompiler, "compile_to_bytes")
        return SimpleNamespace(compile_to_bytes=lambda: bound["input_model_path_or_bytes"])

    def InferenceSession(self, *given: Any, **named: Any) -> PlayedSession:  # noqa: N802
        bound = inspect.signature(onnxruntime.InferenceSession).bind(*given, **named).arguments
        chosen = self._chosen(bound["sess_options"])
        self.opened.append(chosen)
        session = on_cpu(bound["path_or_bytes"])
        if not chosen:
            return PlayedSession(session, self)
        if self.fault == "cannot be opened":
            raise RuntimeError("user_compute_stream has no associated CUDA context")
        assert set(chosen) == {"has_user_compute_stream", "user_compute_stream"}
        assert chosen["has_user_compute_stream"] == "1"
        lane = None if self.card is None else self.card.branches[int(chosen["user_compute_stream"]) - 1]
        return PlayedSession(session, self, lane)

    @staticmethod
    def _chosen(options: Any) -> dict[str, str]:
        """The options of the plug-in, which are all that a session may be made with."""
        assert options.entries["session.disable_cpu_ep_fallback"] == "1"
        ((devices, chosen),) = options.providers
        assert [device.ep_name for device in devices] == [NAME]
        return chosen
