"""Recipes and configs: checked once, said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.training.config import Config, read_recipe, recipes


def test_every_recipe_is_valid() -> None:
    assert {"best", "report"} <= set(recipes())
    for name in recipes():
        assert read_recipe(name).epochs >= 1


def test_report_is_the_reports() -> None:
    config = read_recipe("report")
    assert config.losses == {"bce": 1.0}
    assert (config.sizes[0].height, config.sizes[0].width) == (480, 640)
    assert config.optimiser.name == "adam"
    assert config.epochs == 5
    assert config.net.output == "depth_10m"
    assert config.views.mirror == 0.5
    assert config.views.smallest_crop == 1.0


def test_changes_reach_into_sections() -> None:
    config = read_recipe("best", ["optimiser.learning_rate=1e-5", "net.encoder=resnet50", "epochs=3"])
    assert config.optimiser.learning_rate == 1e-5
    assert config.optimiser.warmup_steps == read_recipe("best").optimiser.warmup_steps
    assert config.net.encoder == "resnet50"
    assert config.epochs == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("epochs", "expected KEY=VALUE"),
        ("epochs=0", "epochs: .*greater than or equal to 1; got 0"),
        ("epoch=3", "epoch: Extra inputs"),
        ("optimiser.name=sgd", "optimiser.name: .*'adam'.*got 'sgd'"),
        ("losses={nice=1.0}", "losses.nice"),
        ("losses={}", "losses"),
        ("sizes=[{height=100,width=64}]", "multiple of 32"),
        ("views.smallest_crop=0.0", "views.smallest_crop"),
        ("=3", "Extra inputs"),
    ],
)
def test_wrong_changes_are_one_clear_line(change: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_recipe("best", [change])
    assert "\n" not in str(caught.value)


def test_unknown_recipe_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="best, report"):
        read_recipe("bset")
    broken = tmp_path / "broken.toml"
    broken.write_text("epochs = [")
    with pytest.raises(InputError, match="not valid TOML"):
        read_recipe(str(broken))


def test_config_survives_the_disk(tmp_path: Path) -> None:
    config = read_recipe("best", ["seed=7", "shares.mine=0.5"])
    config.save(tmp_path / "config.json")
    assert Config.load(tmp_path / "config.json") == config
    (tmp_path / "config.json").write_text('{"epochs": "many"}')
    with pytest.raises(InputError, match="epochs"):
        Config.load(tmp_path / "config.json")
    with pytest.raises(InputError, match="cannot read"):
        Config.load(tmp_path / "none.json")
