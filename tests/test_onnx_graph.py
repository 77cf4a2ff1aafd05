"""The ONNX model is our net, and what is asked of ONNX Runtime and NVIDIA's plug-in fits them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines import checkpoint, onnx_graph
from pullfocus.engines.builder import Order, build_into_store
from pullfocus.engines.gpu import Gpu
from pullfocus.engines.openvino_engine import OpenVinoEngine
from pullfocus.engines.parity import compare
from pullfocus.engines.rtx_runtime import RtxRuntime
from pullfocus.engines.runtime import facts_of
from pullfocus.engines.store import Store
from pullfocus.engines.torch_engine import TorchEngine
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.kernels.errors import CheckpointError, EngineError

from .fake_onnxruntime import NAME, PLUGIN, FakeOnnxRuntime, on_cpu

pytestmark = pytest.mark.usefixtures("one_thread")
GPU = Gpu("NVIDIA Test 1", (8, 9), (13, 0))


@pytest.mark.parametrize(
    ("encoder", "size_hw", "half", "tolerance"),
    [
        ("resnet18", (192, 288), False, 1e-3),
        ("resnet18", (192, 288), True, 0.01),
        ("resnet50", (224, 192), False, 1e-3),
    ],
)
def test_onnx_gives_the_depth_of_pytorch(
    random_models: dict[str, Path],
    rng: np.random.Generator,
    encoder: str,
    size_hw: tuple[int, int],
    half: bool,
    tolerance: float,
) -> None:
    model = random_models[encoder]
    session = on_cpu(onnx_graph.build(checkpoint.load(model), size_hw, half))
    picture = rng.integers(0, 256, (*size_hw, 3), np.uint8)
    (depth,) = session.run([onnx_graph.DEPTH], {onnx_graph.PICTURE: picture[None]})
    expected = TorchEngine(model).infer(picture)
    assert isinstance(depth, np.ndarray)
    assert depth.dtype == np.float32
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(depth[0, 0], expected, atol=tolerance)


def test_a_damaged_weight_file_is_one_line(random_model: Path) -> None:
    saved = checkpoint.load(random_model)
    tensors = {**saved.tensors, "up8.conv1.weight": np.zeros((128, 7, 3, 3), np.float32)}
    with pytest.raises(CheckpointError, match="tensors do not fit resnet18") as caught:
        onnx_graph.build(checkpoint.Checkpoint("resnet18", tensors), (64, 64))
    assert "\n" not in str(caught.value)
    del tensors["up8.conv1.weight"]
    with pytest.raises(CheckpointError, match=r"no tensor 'up8\.conv1\.weight'"):
        onnx_graph.build(checkpoint.Checkpoint("resnet18", tensors), (64, 64))


def test_an_rtx_engine_is_built_kept_and_loaded_again(random_model: Path, tmp_path: Path) -> None:
    library = FakeOnnxRuntime()
    runtime, size_hw = RtxRuntime(GPU, library, PLUGIN), (192, 192)
    RtxRuntime(GPU, library, PLUGIN)  # a second engine in one process
    assert library.registered == [(NAME, "/there/plugin.so")]
    facts = facts_of("tensorrt-rtx", GPU, random_model, size_hw)
    parity = build_into_store(
        Order("tensorrt-rtx", random_model, size_hw, tmp_path), runtime, facts, lambda _stage: None
    )
    assert parity is not None
    assert parity.max_error > 0.0  # of half precision
    stored = Store(tmp_path).find(facts)
    assert stored is not None
    assert runtime.load(stored.data, size_hw)(np.zeros((*size_hw, 3), np.uint8)).shape == size_hw
    with pytest.raises(EngineError, match=r"takes \[1, 192, 192, 3\], expected \[1, 192, 256, 3\]"):
        runtime.load(stored.data, (192, 256))


def test_a_plug_in_without_a_device_is_one_line() -> None:
    with pytest.raises(EngineError, match=r"does not take this GPU \(NVIDIA Test 1, 8.9\)"):
        RtxRuntime(GPU, FakeOnnxRuntime(devices=[]), PLUGIN)


def test_bytes_that_are_no_model_are_one_line(tmp_path: Path) -> None:
    runtime = RtxRuntime(GPU, FakeOnnxRuntime(), PLUGIN)
    with pytest.raises(EngineError, match="tensorrt-rtx: the engine cannot be loaded") as caught:
        runtime.load(b"no model", (192, 192))
    assert "\n" not in str(caught.value)


def test_comparison_notices_a_constant() -> None:
    def constant(picture: Picture) -> InverseDepth:
        return np.full(picture.shape[:2], 0.35, np.float32)

    net = OpenVinoEngine(checkpoint.locate("resnet18"), precision="f32", threads=1).infer
    assert not compare(constant, net, (192, 192)).is_close
    assert not compare(lambda picture: net(picture[:, ::-1]), net, (192, 192)).is_close
    assert compare(net, net, (192, 192)).max_error == 0.0
