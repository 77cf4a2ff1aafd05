"""TensorRT: our calls fit the real library, and what we do with its answers is right. The library itself is played."""

from __future__ import annotations

import json
from operator import getitem
from pathlib import Path

import numpy as np
import pytest
import torch
from pullfocus.engines.builder import Order, build_into_store, reference
from pullfocus.engines.checkpoint import locate
from pullfocus.engines.finding import find_gpu_engines
from pullfocus.engines.gpu import Gpu, find_gpu
from pullfocus.engines.parity import MAX_ERROR, compare, fixed_pictures
from pullfocus.engines.runtime import facts_of, runtime_of
from pullfocus.engines.store import Store
from pullfocus.engines.tensorrt_runtime import GPU_0, TensorRtRuntime
from pullfocus.engines.there import PictureThere, PlacedNet
from pullfocus.engines.torch_engine import load_net
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.errors import EngineError

from .fake_tensorrt import CONVERT, KNOWN, MODULE, VERSIONS, FakeTorchTensorRt
from .torch_tensorrt_signatures import CALLS, READER, signature_of

GPU = Gpu("NVIDIA Test 1", (8, 9), (13, 0))
SIZE_HW = (192, 192)


def order(place: Path, model: Path) -> Order:
    return Order("tensorrt", model, SIZE_HW, place)


@pytest.mark.usefixtures("one_thread")
def test_an_engine_is_built_kept_and_loaded_again(random_model: Path, tmp_path: Path) -> None:
    library = FakeTorchTensorRt()
    runtime = TensorRtRuntime(GPU, library, library.reader(), device="cpu")
    facts, stages = facts_of("tensorrt", GPU, random_model, SIZE_HW), list[str]()
    parity = build_into_store(order(tmp_path, random_model), runtime, facts, stages.append)
    assert parity is not None
    assert 0.0 < parity.max_error < MAX_ERROR  # half precision was really computed in
    assert stages[-2:] == ["building with TensorRT", "comparing it with float32"]
    stored = Store(tmp_path).find(facts)
    assert stored is not None
    assert stored.data in library.programs
    net, picture = runtime.load(stored.data, SIZE_HW), fixed_pictures(SIZE_HW)[0]
    expected = reference(random_model, "fast").infer(picture)
    np.testing.assert_allclose(net(picture), expected, atol=MAX_ERROR)
    assert library.calls == [CONVERT, MODULE, MODULE]


def test_every_version_is_known_and_exports_what_we_call() -> None:
    assert VERSIONS == ["torch_tensorrt 2.11.0", "torch_tensorrt 2.14.0"]
    for version in VERSIONS:
        assert set(KNOWN[version]["signatures"]) == set(CALLS)
        assert all(KNOWN[version]["exports"].values())
    readers = [version for version in KNOWN if version.startswith("tensorrt ")]
    assert [version.split(".")[0] for version in readers] == ["tensorrt 10", "tensorrt 11"]
    for version in readers:
        assert KNOWN[version]["names"] == dict.fromkeys(READER, True)


def test_a_call_that_does_not_fit_is_noticed() -> None:
    for version in VERSIONS:
        known = signature_of(KNOWN[version]["signatures"][MODULE])
        with pytest.raises(TypeError):
            known.bind(serialised_engine=b"")
    strongly_typed = signature_of(KNOWN["torch_tensorrt 2.14.0"]["signatures"][CONVERT])
    # The option of weakly typed networks is gone: it would be swallowed.
    assert "enabled_precisions" not in strongly_typed.parameters


@pytest.mark.usefixtures("one_thread")
def test_every_operator_of_the_net_has_a_converter(random_model: Path) -> None:
    with torch.no_grad():
        program = torch.export.export(
            load_net(random_model).half(), (torch.zeros((1, 3, 64, 64), dtype=torch.float16),)
        )
    aten = torch.ops.aten
    kept = {aten.upsample_nearest2d.vec, aten.max_pool2d.default, aten.pixel_shuffle.default}
    table = {op: how for op, how in torch.export.default_decompositions().items() if op not in kept}
    nodes = [node for node in program.run_decompositions(table).graph.nodes if node.op == "call_function"]
    used = {"operator.getitem" if node.target is getitem else str(node.target) for node in nodes}
    assert "aten.convolution.default" in used
    for version in VERSIONS:
        assert used <= set(KNOWN[version]["converters"]), version


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out of GPU memory"),
        (
            UnboundLocalError("'interpreter_result' is not bound\nadvice"),
            "cannot be built: 'interpreter_result' is not",
        ),
    ],
)
@pytest.mark.usefixtures("one_thread")
def test_a_build_that_fails_is_one_line(fault: Exception, words: str, random_model: Path, tmp_path: Path) -> None:
    library = FakeTorchTensorRt(fault)
    runtime = TensorRtRuntime(GPU, library, library.reader(), device="cpu")
    facts = facts_of("tensorrt", GPU, random_model, SIZE_HW)
    with pytest.raises(EngineError, match=words) as caught:
        build_into_store(order(tmp_path, random_model), runtime, facts, lambda _stage: None)
    assert "\n" not in str(caught.value)
    assert Store(tmp_path).find(facts) is None


def test_an_engine_of_another_version_is_not_taken() -> None:
    library = FakeTorchTensorRt()
    runtime = TensorRtRuntime(GPU, library, library.reader(), device="cpu")
    with pytest.raises(EngineError, match="another version or GPU"):
        runtime.load(b"of elsewhere", SIZE_HW)


def test_a_library_that_is_not_there_is_one_line() -> None:
    with pytest.raises(EngineError, match="tensorrt: it cannot be imported: No module named 'torch_tensorrt'"):
        TensorRtRuntime(GPU)


def test_the_gpu_has_its_number() -> None:
    """Torch-TensorRT makes `Device(gpu_id=device.index)` of it, and None is no number."""
    assert torch.device(GPU_0).index == 0


def test_the_signatures_are_small() -> None:
    text = json.dumps(KNOWN)
    assert len(text) < 40_000


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-rtx"])
def test_a_compiled_engine_gives_the_depth_of_the_cpu(tmp_path: Path, name: str) -> None:
    found = next(one for one in find_gpu_engines() if one.name == name)
    if not found.usable:
        pytest.skip(found.why)
    gpu, model, size_hw = find_gpu(), locate("resnet18"), (192, 352)
    runtime, facts = runtime_of(name, gpu), facts_of(name, gpu, model, size_hw)
    build_into_store(Order(name, model, size_hw, tmp_path), runtime, facts, print)
    stored = Store(tmp_path).find(facts)
    assert stored is not None
    assert compare(runtime.load(stored.data, size_hw), reference(model, "fast").infer, size_hw).is_close


@pytest.mark.gpu
def test_tensorrt_for_rtx_takes_pictures_in_place(on_gpu: CudaKernels) -> None:
    found = next(one for one in find_gpu_engines() if one.name == "tensorrt-rtx")
    if not found.usable:
        pytest.skip(found.why)
    said, model, size_hw = list[str](), locate("resnet18"), (192, 352)
    runtime = runtime_of("tensorrt-rtx", find_gpu(), said.append)
    net = through_main_memory = runtime.load(runtime.compile(model, size_hw, print), size_hw)
    assert isinstance(net, PlacedNet)
    for picture in fixed_pictures(size_hw):
        depth = net.in_place(PictureThere(on_gpu.upload(picture), on_gpu))
        assert depth is not None, said
        np.testing.assert_allclose(on_gpu.download(depth.array), through_main_memory(picture), atol=MAX_ERROR)
    assert said == []
