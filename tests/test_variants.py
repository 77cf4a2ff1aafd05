"""Nets and optimiser settings that an ablation tries."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pullfocus.engines import checkpoint
from pullfocus.engines.network import DepthNet
from pullfocus.kernels.errors import CheckpointError
from pullfocus.training.batches import Batch
from pullfocus.training.config import Config, Net, Optimiser
from pullfocus.training.losses import total_loss
from pullfocus.training.objective import COARSE_SHARE, objective
from pullfocus.training.optimiser import make_optimiser, train_mode
from pullfocus.training.predict import load_predictor
from pullfocus.training.trainer import save_weights
from pullfocus.training.variants import SIDE_HEADS, Attention, VariantNet
from torch import Tensor

PICTURE = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_a_plain_config_is_the_shipped_net() -> None:
    torch.manual_seed(0)
    net = VariantNet(Net())
    assert net.state_dict().keys() == DepthNet().state_dict().keys()
    plain = DepthNet()
    plain.load_state_dict(net.state_dict())
    assert torch.equal(net.eval()(PICTURE), plain.eval()(PICTURE))


@pytest.mark.parametrize("changes", [{"decoder": "up_projection"}, {"attention": True}])
def test_a_variant_is_saved_and_used_by_evaluate_only(changes: dict[str, object], tmp_path: Path) -> None:
    config = Config(net=Net.model_validate(changes))
    net = VariantNet(config.net).eval()
    save_weights(net, config, 3, tmp_path)
    path = tmp_path / "resnet18.safetensors"
    with pytest.raises(CheckpointError, match=r"holds a trial net \(.*evaluate --engine torch"):
        checkpoint.load(path)
    image = (255 * PICTURE[0]).byte().permute(1, 2, 0).numpy()
    assert load_predictor(str(path))(image).std() > 0


def test_side_outputs_come_in_training_only_and_are_not_saved(tmp_path: Path) -> None:
    config = Config(net=Net(multi_scale=True))
    net = VariantNet(config.net)
    assert [tuple(output.shape[-2:]) for output in net.train()(PICTURE)] == [(64, 96), (16, 24), (8, 12), (4, 6)]
    assert isinstance(net.eval()(PICTURE), Tensor)
    save_weights(net, config, 3, tmp_path)
    saved = checkpoint.load(tmp_path / "resnet18.safetensors")
    assert not any(key.startswith(SIDE_HEADS) for key in saved.tensors)


def test_attention_starts_as_identity_but_learns_across_the_map() -> None:
    torch.manual_seed(0)
    layer, x = Attention(16), torch.rand(1, 16, 3, 4)
    torch.testing.assert_close(layer(x), x)
    torch.nn.init.eye_(layer.joined.weight)
    moved = x.clone()
    moved[:, :8, 0, 0] += 1.0
    assert float((layer(moved) - layer(x)).detach()[..., 2, 3].abs().max()) > 1e-4  # the far corner hears of it


def test_objective_weighs_coarse_outputs_by_halves() -> None:
    config = Config(losses={"l1": 2.0})
    target = torch.rand(2, 1, 16, 16)
    batch = Batch(torch.rand(2, 3, 16, 16), target, torch.tensor([True, True]))
    fine, coarse = torch.rand(2, 1, 16, 16), torch.rand(2, 1, 4, 4)
    whole = total_loss({"l1": 2.0}, fine, target, batch.image, batch.metric)["total"]
    side = total_loss({"l1": 2.0}, coarse, target[..., 2::4, 2::4], batch.image, batch.metric)["total"]
    expected = (whole + COARSE_SHARE * side) / (1 + COARSE_SHARE)
    assert float(objective([fine, coarse], batch, config)["total"]) == pytest.approx(float(expected))


def test_frozen_stages_and_norms_keep_what_imagenet_gave() -> None:
    torch.manual_seed(0)
    net, wanted = VariantNet(Net()), Optimiser(frozen_stages=2, frozen_norms=True, learning_rate=0.1)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    optimiser = make_optimiser(net, wanted)
    train_mode(net, wanted)
    net(PICTURE).mean().backward()
    optimiser.step()
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    frozen = ("encoder.conv1", "encoder.bn1", "encoder.layer1")
    assert not any(key.startswith(frozen) for key in changed)
    assert "encoder.layer2.0.conv1.weight" in changed
    assert not any(key.startswith("encoder.") and "running" in key for key in changed)
    assert "up2.bn1.running_mean" in changed


def test_a_stage_that_starts_at_random_learns_its_norms() -> None:
    """ResNet-50's last stage has no statistics of ImageNet's that could be kept."""
    net = VariantNet(Net(encoder="resnet50"))
    train_mode(net, Optimiser(frozen_norms=True))
    kept = {name.split(".")[0] for name, module in net.encoder.named_modules() if not module.training}
    assert kept == {"bn1", "layer1", "layer2", "layer3"}
