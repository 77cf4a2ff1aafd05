"""Weight files: whole, ours, and never code."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines.checkpoint import FORMAT, Checkpoint, Storage, load, locate, store
from pullfocus.engines.openvino_engine import OpenVinoEngine
from pullfocus.engines.torch_engine import load_net
from pullfocus.kernels.errors import CheckpointError, InputError, OutputError
from safetensors.numpy import save_file

GREY = np.full((64, 64, 3), 128, np.uint8)


def altered(model: Path, target: Path, drop: str = "", reshape: str = "", encoder: str = "") -> Path:
    """A copy of a weight file with one thing wrong."""
    saved = load(model)
    tensors = {key: value for key, value in saved.tensors.items() if key != drop}
    if reshape:
        tensors[reshape] = np.zeros((1, 2, 3), np.float32)
    store(target, Checkpoint(encoder or saved.encoder, tensors))
    return target


def test_round_trip_keeps_values_to_half_precision(tmp_path: Path, rng: np.random.Generator) -> None:
    tensors = {"a.weight": rng.normal(size=(3, 2, 1, 1)).astype(np.float32), "b": np.zeros(0, np.float32)}
    store(tmp_path / "new" / "net.safetensors", Checkpoint("resnet18", tensors, {"step": "7"}))
    saved = load(tmp_path / "new" / "net.safetensors")
    assert saved.encoder == "resnet18"
    assert saved.notes["step"] == "7"
    assert saved.tensors.keys() == tensors.keys()
    for key, value in tensors.items():
        assert saved.tensors[key].dtype == np.float32
        np.testing.assert_array_equal(saved.tensors[key], value.astype(np.float16).astype(np.float32))
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["net.safetensors"]


def test_int8_keeps_each_channel_to_half_a_step_in_half_the_space(tmp_path: Path, rng: np.random.Generator) -> None:
    weight = (
        rng.normal(size=(16, 32, 3, 3)).astype(np.float32)
        * np.logspace(-6, 1, 16, dtype=np.float32)[:, None, None, None]
    )
    weight[3] = 0.0
    bias = rng.normal(size=16).astype(np.float32)
    made = Checkpoint("resnet50", {"c.weight": weight, "c.bias": bias}, {"step": "7"})
    store(tmp_path / "half.safetensors", made)
    store(tmp_path / "int8.safetensors", made, "int8")
    saved = load(tmp_path / "int8.safetensors")
    assert saved.tensors.keys() == made.tensors.keys()
    assert saved.tensors["c.weight"].dtype == np.float32
    step = np.abs(weight).max(axis=(1, 2, 3), keepdims=True) / 127
    assert (np.abs(saved.tensors["c.weight"] - weight) <= 0.5001 * step).all()
    assert len(np.unique(saved.tensors["c.weight"][-1])) > 100
    np.testing.assert_array_equal(saved.tensors["c.bias"], bias.astype(np.float16).astype(np.float32))
    ratio = (tmp_path / "int8.safetensors").stat().st_size / (tmp_path / "half.safetensors").stat().st_size
    assert ratio < 0.6


@pytest.mark.parametrize(
    ("shape", "scale"),
    [
        ((4, 2, 3, 3), None),
        ((4, 2, 3, 3), np.ones((1, 1, 1, 1))),
        ((4, 2, 3, 3), np.full((4, 1, 1, 1), np.nan)),
        ((4, 2), np.ones((4, 1, 1, 1))),
        ((), np.ones(())),
    ],
)
def test_int8_without_fitting_scales_is_refused(
    tmp_path: Path, shape: tuple[int, ...], scale: np.ndarray | None
) -> None:
    tensors: dict[str, np.ndarray] = {"c.weight": np.ones(shape, np.int8)}
    if scale is not None:
        tensors["c.weight.scale"] = scale.astype(np.float32)
    save_file(tensors, tmp_path / "x.safetensors", metadata={"format": FORMAT, "encoder": "resnet18"})
    with pytest.raises(CheckpointError, match=r"'c.weight' has no scale"):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("storage", ["float16", "int8"])
def test_a_net_that_diverged_is_not_written(tmp_path: Path, storage: Storage) -> None:
    weight = np.full((2, 2, 1, 1), np.nan, np.float32)
    with pytest.raises(CheckpointError, match=r"c.weight is not finite, the net has diverged"):
        store(tmp_path / "x.safetensors", Checkpoint("resnet18", {"c.weight": weight}), storage)
    assert list(tmp_path.iterdir()) == []


def test_what_half_precision_cannot_hold_is_kept_whole(tmp_path: Path) -> None:
    variance = np.array([1e-3, 70_000.0], np.float32)
    store(tmp_path / "x.safetensors", Checkpoint("resnet18", {"bn.running_var": variance}))
    np.testing.assert_array_equal(load(tmp_path / "x.safetensors").tensors["bn.running_var"], variance)


def test_failed_store_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.safetensors"
    store(path, Checkpoint("resnet18", {"a": np.ones(3, np.float32)}))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="it was not changed"):
        store(path, Checkpoint("resnet18", {"a": np.zeros(3, np.float32)}))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize("notes", [None, {"format": "other-2"}])
def test_file_of_another_format_is_refused(tmp_path: Path, notes: dict[str, str] | None) -> None:
    save_file({"a": np.ones(3, np.float32)}, tmp_path / "x.safetensors", metadata=notes)
    with pytest.raises(
        CheckpointError, match=f"got {notes['format'] if notes else 'no format note'}, expected {FORMAT}"
    ):
        load(tmp_path / "x.safetensors")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 4096, b"{}"])
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load(path)


def test_cut_off_file_is_refused(random_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(random_model.read_bytes()[:100_000])
    with pytest.raises(CheckpointError):
        load(path)


class Trap:
    """Unpickling this leaves a file behind."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path(self.path),)  # pyright: ignore[reportReturnType]


def test_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "x.safetensors"
    path.write_bytes(pickle.dumps(Trap(str(sprung))))
    with pytest.raises(CheckpointError):
        load(path)
    assert not sprung.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - the trap does work
    assert sprung.exists()


@pytest.mark.parametrize("key", ["head.bias", "up4.bn1.running_var", "encoder.layer2.0.downsample.0.weight"])
def test_missing_tensor_is_named_or_counted(random_model: Path, tmp_path: Path, key: str) -> None:
    path = altered(random_model, tmp_path / "x.safetensors", drop=key)
    with pytest.raises(CheckpointError, match="1 tensors missing"):
        load_net(path)
    with pytest.raises(CheckpointError, match=r"tensor|fit"):
        OpenVinoEngine(path, threads=1).infer(GREY)


def test_tensor_of_another_shape_is_refused(random_model: Path, tmp_path: Path) -> None:
    path = altered(random_model, tmp_path / "x.safetensors", reshape="up8.conv1.weight")
    with pytest.raises(CheckpointError, match="do not fit resnet18"):
        load_net(path)
    with pytest.raises(CheckpointError, match="do not fit"):
        OpenVinoEngine(path, threads=1).infer(GREY)


def test_unknown_encoder_is_refused(random_model: Path, tmp_path: Path) -> None:
    path = altered(random_model, tmp_path / "x.safetensors", encoder="resnet99")
    with pytest.raises(CheckpointError, match="'resnet99', expected resnet18"):
        load_net(path)
    with pytest.raises(CheckpointError, match="'resnet99', expected resnet18"):
        OpenVinoEngine(path, threads=1).infer(GREY)


def test_locate_knows_shipped_nets_and_paths(tmp_path: Path) -> None:
    assert locate("resnet18").name == "resnet18.safetensors"
    assert locate("resnet18").is_file()
    (tmp_path / "mine").touch()
    assert locate(str(tmp_path / "mine")) == tmp_path / "mine"
    for missing in ("nothing", str(tmp_path)):
        with pytest.raises(InputError, match=f"--model {missing}: no such file; expected resnet18"):
            locate(missing)


def test_missing_file_is_a_checkpoint_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        load(tmp_path / "nothing.safetensors")
