"""The start from ImageNet weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pullfocus.engines.network import DepthNet
from pullfocus.kernels.errors import CheckpointError
from pullfocus.training.initial import load_encoder
from safetensors.torch import save_file
from torchvision.models import resnet50


@pytest.fixture
def encoder_file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    state = {k: v.contiguous() for k, v in DepthNet().encoder.state_dict().items()}
    save_file(state, tmp_path / "encoder.safetensors")
    return tmp_path / "encoder.safetensors"


def without(path: Path, prefix: str) -> Path:
    from safetensors.torch import load_file

    save_file({k: v for k, v in load_file(path).items() if not k.startswith(prefix)}, path)
    return path


def test_encoder_weights_are_loaded(encoder_file: Path) -> None:
    torch.manual_seed(0)
    reference = DepthNet().encoder.state_dict()
    net = DepthNet()
    assert not torch.equal(net.encoder.state_dict()["conv1.weight"], reference["conv1.weight"])
    load_encoder(net, encoder_file)
    for key, value in net.encoder.state_dict().items():
        assert torch.equal(value, reference[key]), key


def test_missing_block_starts_as_identity(encoder_file: Path) -> None:
    net = DepthNet()
    load_encoder(net, without(encoder_file, "layer3.1."))
    x = torch.rand(1, 256, 6, 6)
    torch.testing.assert_close(net.eval().encoder.layer3[1](x), x)


@pytest.mark.parametrize("prefix", ["conv1.", "layer2.0.", "layer1.0.conv1."])
def test_encoder_file_that_lacks_more_is_refused(encoder_file: Path, prefix: str) -> None:
    with pytest.raises(CheckpointError, match="lacks weights of"):
        load_encoder(DepthNet(), without(encoder_file, prefix))


def test_the_original_resnet50_fits_but_for_its_last_stage(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source, net = resnet50().state_dict(), DepthNet("resnet50")
    save_file({k: v for k, v in source.items() if not k.startswith("layer4.")}, tmp_path / "partial.safetensors")
    save_file(dict(source), tmp_path / "whole.safetensors")
    own = {k: v.clone() for k, v in net.encoder.layer4.state_dict().items()}
    for name in ("partial", "whole"):
        load_encoder(net, tmp_path / f"{name}.safetensors")
        assert torch.equal(net.encoder.state_dict()["layer3.5.conv3.weight"], source["layer3.5.conv3.weight"])
        assert all(torch.equal(value, own[key]) for key, value in net.encoder.layer4.state_dict().items())


def test_a_missing_bottleneck_block_starts_as_identity(tmp_path: Path) -> None:
    source = DepthNet("resnet50").encoder.state_dict()
    kept = {k: v.contiguous() for k, v in source.items() if not k.startswith("layer3.4.")}
    save_file(kept, tmp_path / "x.safetensors")
    net = DepthNet("resnet50")
    load_encoder(net, tmp_path / "x.safetensors")
    x = torch.rand(1, 1024, 6, 6)
    torch.testing.assert_close(net.eval().encoder.layer3[4](x), x)


def test_encoder_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_encoder(DepthNet(), tmp_path / "x.safetensors")
    save_file({"conv1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="do not fit"):
        load_encoder(DepthNet(), tmp_path / "x.safetensors")
