"""The frozen configuration of a training run: read from a recipe, saved beside the weights it made."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..engines.atomic import write_text
from ..engines.checkpoint import Storage
from ..kernels.errors import InputError
from .pairs import PairKind

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Side = Annotated[int, Field(ge=32, multiple_of=32)]  # the encoder halves five times
LossName = Literal[
    "affine",
    "gradient",
    "log_l1",
    "aligned_log",
    "l1",
    "bce",
    "silog",
    "berhu",
    "virtual_normal",
    "smoothness",
    "ranking",
    "defocus",
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Net(_Section):
    """What is trained. `output` says what the net's sigmoid means: inverse depth, or the report's depth / 10 m.

    `storage` is of the weight file: int8 halves it. What `decoder`, `attention` and `multi_scale` add stands in
    `variants`.
    """

    encoder: Literal["resnet18", "resnet50"] = "resnet18"
    decoder: Literal["unet", "thin", "up_projection"] = "unet"
    attention: bool = False  # a transformer layer at the bottleneck
    multi_scale: bool = False  # outputs at four sizes while training
    output: Literal["inverse_depth", "depth_10m"] = "inverse_depth"
    storage: Storage = "float16"

    @property
    def variant(self) -> str:
        """What makes the trained net another than the engines know; "" when nothing does."""
        parts = [self.decoder] * (self.decoder != "unet") + ["attention"] * self.attention
        return ", ".join(parts)


class Size(_Section):
    """One size of training picture in pixels, and how often it is drawn (in proportion)."""

    height: Side
    width: Side
    share: Positive = 1.0


class Views(_Section):
    """Random views of a picture. 0 switches a kind of change off."""

    whole: Share = 0.0  # of pictures that are seen whole, or cut at two sides where the shape is another
    smallest_crop: Annotated[float, Field(gt=0.0, le=1.0)] = 0.7  # of the picture's side
    aspect_jitter: Share = 0.1
    mirror: Share = 0.5
    rotation: Annotated[float, Field(ge=0.0, le=45.0)] = 0.0  # at most so many degrees either way
    colours: Share = 0.5  # strength of gamma, white balance, contrast, brightness and saturation
    blur: Share = 0.1
    noise: Share = 0.15
    compression: Share = 0.1  # share of pictures that go through a poor JPEG
    cut_depth: Share = 0.0  # share of pictures with an upright band of their own depth in place of colours


class Optimiser(_Section):
    """AdamW (or Adam), a linear warm-up, then a cosine to 0 or the step schedule of the report."""

    name: Literal["adam", "adamw"] = "adamw"
    learning_rate: Positive = 5e-4
    encoder_rate: Positive = 1.0  # of the learning rate, for the encoder: a lower one keeps more of ImageNet
    frozen_stages: Annotated[int, Field(ge=0, le=5)] = 0  # of the encoder, from the stem on, that stay ImageNet's
    frozen_norms: bool = False  # the encoder's batch norms keep ImageNet's statistics, where it has any
    weight_decay: Annotated[float, Field(ge=0.0)] = 1e-2
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_epochs: Annotated[int, Field(ge=1)] = 2  # `step`: the rate falls by `step_factor` every so many epochs
    step_factor: Share = 0.1
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    clip_norm: Positive = 5.0
    ema_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.998  # of the running mean that is validated and saved


class Config(_Section):
    """Everything that decides a run."""

    net: Net = Net()
    sizes: Annotated[tuple[Size, ...], Field(min_length=1)] = (Size(height=192, width=256),)
    small_share: Share = 0.0  # share of the run that sees two thirds of each size: the coarse layout for half the price
    views: Views = Views()
    losses: dict[LossName, float] = Field(default={"affine": 1.0, "gradient": 0.5, "log_l1": 0.4}, min_length=1)
    pairs: dict[PairKind, float] = {}  # weights of terms over two pictures of one scene
    pair_count: Annotated[int, Field(ge=1)] = 1  # pairs of each such kind, in place of other pictures of a batch
    optimiser: Optimiser = Optimiser()
    shares: dict[str, float] = {"other": 1.0}  # source → share of a batch; "nyu", "other": see data/sampling.py
    data_fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0  # of the training pictures, for learning curves
    epochs: Annotated[int, Field(ge=1)] = 10
    steps_per_epoch: Annotated[int, Field(ge=0)] = 0  # 0: as many as one pass over the data takes
    batch: Annotated[int, Field(ge=1)] = 8  # pictures a step, over all processes
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"  # auto: bfloat16 on a GPU
    seed: Annotated[int, Field(ge=0)] = 0

    @property
    def loss_weights(self) -> dict[str, float]:
        """`losses` by plain names."""
        return {name: weight for name, weight in self.losses.items()}  # noqa: C416 - widens the type of the keys

    def part_of(self, pictures: int) -> int:
        """How many of so many training pictures take part."""
        return max(1, round(pictures * self.data_fraction))

    def save(self, path: Path) -> None:
        """Write as JSON. Raises OutputError."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Config:
        """Read what `save` wrote. Raises InputError."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}; expected the config.json of a run") from error
        except ValidationError as error:
            raise InputError(f"{path}: {_first_fault(error)}") from error


def recipes() -> list[str]:
    """The names of the recipes that come with pullfocus."""
    found = files("pullfocus.training").joinpath("recipes").iterdir()
    return sorted(item.name.removesuffix(".toml") for item in found if item.name.endswith(".toml"))


def read_recipe(recipe: str, changes: Sequence[str] = ()) -> Config:
    """The config of a recipe (a name or a .toml file), with `section.key=value` changes. Raises InputError."""
    path = Path(recipe)
    if recipe in recipes():
        text = files("pullfocus.training").joinpath("recipes", f"{recipe}.toml").read_text(encoding="utf-8")
    elif path.suffix == ".toml" and path.is_file():
        text = path.read_text(encoding="utf-8")
    else:
        raise InputError(f"recipe {recipe}: no such recipe or .toml file; there are {', '.join(recipes())}")
    values = _parsed(text, recipe)
    for change in changes:
        _change(values, change)
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise InputError(f"recipe {recipe}: {_first_fault(error)}") from error


def _change(values: dict[str, Any], change: str) -> None:
    """Put the value of `section.key=value` into `values`; a bare word is a string."""
    path, equals, text = change.partition("=")
    if not equals:
        raise InputError(f"--set {change}: expected KEY=VALUE, such as optimiser.learning_rate=1e-4")
    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, key = path.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[key] = value


def _parsed(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{origin}: not valid TOML ({error})") from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}; got {fault['input']!r}"
