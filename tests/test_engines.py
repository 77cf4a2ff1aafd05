"""Engines: the same depth from every runtime, the right input size, honest refusals."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.engines.build import EngineRequest, build
from pullfocus.engines.encoders import ENCODERS
from pullfocus.engines.finding import find_engines
from pullfocus.engines.network import DepthNet
from pullfocus.engines.openvino_engine import OpenVinoEngine, Precision
from pullfocus.engines.plane import PlaneEngine
from pullfocus.engines.shape import net_size, shrunk_to
from pullfocus.engines.torch_engine import TorchEngine, load_net
from pullfocus.kernels.api import Quality
from pullfocus.kernels.errors import EngineError, InputError, MissingExtraError

# bf16 keeps 8 bits: rounding of 2⁻⁹ a step, piled up over some twenty layers.
TOLERANCES: dict[Precision, float] = {"f32": 1e-4, "bf16": 0.06}
CASES: list[tuple[tuple[int, int], Quality]] = [
    ((192, 320), "fast"), ((240, 240), "fast"), ((300, 200), "fast"), ((90, 120), "fine")
]  # fmt: skip


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend that packages are not installed."""
    real = importlib.metadata.version

    def hide(*packages: str) -> None:
        def version(name: str) -> str:
            if name in packages:
                raise importlib.metadata.PackageNotFoundError(name)
            return real(name)

        monkeypatch.setattr(importlib.metadata, "version", version)

    return hide


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize(("size_hw", "quality"), CASES)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_openvino_gives_the_depth_of_pytorch(
    random_models: dict[str, Path],
    rng: np.random.Generator,
    encoder: str,
    precision: Precision,
    size_hw: tuple[int, int],
    quality: Quality,
) -> None:
    random_model = random_models[encoder]
    picture = rng.integers(0, 256, (*size_hw, 3), np.uint8)
    ours = OpenVinoEngine(random_model, quality, precision, threads=1).infer(picture)
    reference = TorchEngine(random_model, "cpu", quality).infer(picture)
    assert ours.shape == reference.shape == net_size(*size_hw, quality)
    assert ours.dtype == np.float32
    assert np.ptp(reference) > 0.2  # the comparison is not between two constants
    np.testing.assert_allclose(ours, reference, atol=TOLERANCES[precision])


def test_engine_gives_each_frame_its_own_array(random_model: Path, rng: np.random.Generator) -> None:
    engine = OpenVinoEngine(random_model, precision="f32", threads=1)
    first = engine.infer(rng.integers(0, 256, (100, 100, 3), np.uint8))
    kept = first.copy()
    engine.infer(np.zeros((100, 100, 3), np.uint8))
    np.testing.assert_array_equal(first, kept)


def test_shipped_net_loads_and_tells_depth_in_range(rng: np.random.Generator) -> None:
    engine = build(EngineRequest("openvino"))
    depth = engine.infer(rng.integers(0, 256, (120, 160, 3), np.uint8))
    assert depth.shape == (192, 256)
    assert depth.min() >= 0.0
    assert depth.max() <= 1.0


@given(st.integers(16, 4000), st.integers(16, 4000), st.sampled_from(["fast", "fine"]))
def test_net_size_is_a_multiple_of_32_of_nearly_the_same_aspect(height: int, width: int, quality: str) -> None:
    h, w = net_size(height, width, quality)
    assert h % 32 == w % 32 == 0
    assert min(h, w) == {"fast": 192, "fine": 256}[quality]
    assert (w >= h) if width >= height else (h >= w)
    wanted = min(max(height, width) / min(height, width), 2.0)
    assert abs(max(h, w) - wanted * min(h, w)) <= 16  # the nearest multiple of 32
    assert net_size(width, height, quality) == (w, h) if width != height else h == w


@pytest.mark.parametrize("quality", ["fast", "fine"])
def test_plane_is_a_ramp_from_far_above_to_near_below(quality: Quality) -> None:
    depth = PlaneEngine(quality).infer(np.zeros((720, 1280, 3), np.uint8))
    assert depth.shape == net_size(720, 1280, quality)
    assert depth.dtype == np.float32
    assert (depth[0] == 0).all()
    assert (depth[-1] == 1).all()
    np.testing.assert_allclose(np.diff(depth[:, 5]), 1 / (len(depth) - 1), atol=1e-6)


def test_auto_takes_openvino_on_a_cpu_and_torch_where_it_is_missing(random_model: Path, without: Any) -> None:
    request = EngineRequest(device="cpu", model=str(random_model))
    assert build(request).name == "openvino"
    without("openvino")
    assert build(request).name == "torch"
    without("openvino", "torch")
    with pytest.raises(EngineError, match="pip install openvino"):
        build(request)


@pytest.mark.parametrize("name", ["torch", "openvino", "plane"])
def test_engine_asked_for_is_the_engine_made(random_model: Path, name: Any) -> None:
    engine = build(EngineRequest(name, "cpu", str(random_model)))
    assert engine.name == name
    assert engine.detail


def test_cuda_without_a_gpu_is_one_line(monkeypatch: pytest.MonkeyPatch, random_model: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for make in (
        lambda: build(EngineRequest(device="cuda")),
        lambda: build(EngineRequest("torch", "cuda")),
        lambda: TorchEngine(random_model, "cuda"),
    ):
        with pytest.raises(EngineError, match="--device cuda") as caught:
            make()
        assert "\n" not in str(caught.value)
        assert "--device cpu" in str(caught.value)


@pytest.mark.parametrize("name", ["openvino", "plane"])
def test_cpu_engine_on_cuda_is_refused(name: Any) -> None:
    with pytest.raises(EngineError, match=f"--engine {name} runs on the CPU"):
        build(EngineRequest(name, "cuda"))


@pytest.mark.parametrize("package", ["torch", "torchvision"])
def test_missing_package_names_the_pip_command(without: Any, package: str) -> None:
    without(package)
    with pytest.raises(MissingExtraError, match=r"--engine torch needs torch.*pip install 'pullfocus\[train\]'"):
        build(EngineRequest("torch", "cpu"))
    findings = {finding.name: finding for finding in find_engines()}
    assert not findings["torch"].usable
    assert "pip install" in findings["torch"].why
    assert findings["plane"].usable


def test_missing_openvino_names_the_pip_command(without: Any) -> None:
    without("openvino")
    with pytest.raises(EngineError, match="run: pip install openvino"):
        build(EngineRequest("openvino"))


def test_model_that_is_no_file_is_refused() -> None:
    with pytest.raises(InputError, match="--model resnet99: no such file"):
        build(EngineRequest("openvino", model="resnet99"))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_net_maps_a_batch_to_inverse_depth_and_lets_gradients_through(encoder: str) -> None:
    torch.manual_seed(0)
    net = DepthNet(encoder)
    out = net(torch.randn(2, 3, 64, 96))
    assert out.shape == (2, 1, 64, 96)
    assert float(out.detach().min()) > 0.0
    assert float(out.detach().max()) < 1.0
    out.mean().backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
    assert idle == []


def test_net_of_an_unknown_encoder_is_refused() -> None:
    with pytest.raises(ValueError, match="resnet99"):
        DepthNet("resnet99")


def test_loaded_net_is_in_eval_mode_with_its_own_statistics(random_model: Path) -> None:
    net = load_net(random_model)
    assert not net.training
    assert float(net.get_buffer("up2.bn1.running_mean").abs().max()) > 0.1


@pytest.mark.parametrize("size_hw", [(720, 1280), (1080, 1920), (2160, 3840), (721, 1281), (240, 320)])
def test_large_pictures_reach_the_net_as_means(size_hw: tuple[int, int]) -> None:
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    waves = 127.0 + 120.0 * np.sin(y / height * 9.0) * np.sin(x / width * 14.0)
    picture = np.repeat(waves.astype(np.uint8)[..., None], 3, axis=2)
    small = shrunk_to(picture, (192, 352))
    plain = cv2.resize(picture, (352, 192), interpolation=cv2.INTER_AREA)
    assert small.shape == (192, 352, 3)
    assert np.abs(small.astype(int) - plain).max() <= 2
