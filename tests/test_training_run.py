"""Sets on disk, the split, the start from ImageNet weights, and a training run in small."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pullfocus.engines.network import DepthNet
from pullfocus.engines.torch_engine import load_net
from pullfocus.kernels.errors import CheckpointError
from pullfocus.training import train as training
from pullfocus.training.initial import load_encoder
from pullfocus.training.pairs import DataError, Row, load_pair, read_rows, split_validation
from safetensors.torch import save_file


def write_set(folder: Path, count: int = 2, kind: str = "metric_mm", source: str = "mine") -> Path:
    """A small set of bright-is-near pictures: `count` of them, 64 × 80."""
    (folder / "set").mkdir(parents=True, exist_ok=True)
    lines = [["name", "source", "depth_kind", "sequence"]]
    for i in range(count):
        y, x = np.mgrid[:64, :80]
        near = np.hypot(x - 20 - 30 * i, y - 32) < 18
        picture = np.where(near[..., None], (230, 200, 180), (30, 60, 50)).astype(np.uint8)
        cv2.imwrite(str(folder / "set" / f"p{i}.jpg"), picture)
        cv2.imwrite(str(folder / "set" / f"p{i}.png"), np.where(near, 1000, 4000).astype(np.uint16))
        lines.append([f"p{i}", source, kind, f"s{i}"])
    path = folder / "set.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def test_reader_gives_inverse_depth_with_holes(tmp_path: Path) -> None:
    path = write_set(tmp_path)
    depth = np.full((64, 80), 2000, np.uint16)
    depth[0], depth[1] = 0, 250
    cv2.imwrite(str(tmp_path / "set" / "p0.png"), depth)
    pair = load_pair(read_rows(path)[0])
    assert pair.metric
    assert np.isnan(pair.target[0]).all()
    assert (pair.target[1] == 1.0).all()  # nearer than 0.5 m
    assert (pair.target[2:] == 0.25).all()
    assert pair.image.shape == (64, 80, 3)
    relative = load_pair(read_rows(write_set(tmp_path, kind="disparity"))[1])
    assert not relative.metric
    assert set(np.unique(relative.target)) == {np.float32(0.25), np.float32(1.0)}


def test_reader_lists_every_missing_file(tmp_path: Path) -> None:
    path = write_set(tmp_path, 3)
    for name in ("p0.jpg", "p2.png"):
        (tmp_path / "set" / name).unlink()
    with pytest.raises(DataError, match="2 missing files") as caught:
        read_rows(path)
    assert "p0.jpg" in str(caught.value)
    assert "p2.png" in str(caught.value)
    assert "p1" not in str(caught.value)
    with pytest.raises(DataError, match="cannot read"):
        read_rows(tmp_path / "nothing.csv")


def test_reader_refuses_what_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got depth_kind 'feet'"):
        read_rows(write_set(tmp_path, kind="feet"))
    (tmp_path / "set.csv").write_text("name,source\np0,mine\n")
    with pytest.raises(DataError, match="got no column 'depth_kind'"):
        read_rows(tmp_path / "set.csv")
    (tmp_path / "set.csv").write_text("name,source,depth_kind,sequence\np0,mine,metric_mm\n")
    with pytest.raises(DataError, match="sequence"):
        read_rows(tmp_path / "set.csv")


@pytest.mark.parametrize("wrong", ["8 bit", "colour", "size", "no picture"])
def test_pair_of_the_wrong_type_is_refused(tmp_path: Path, wrong: str) -> None:
    row = read_rows(write_set(tmp_path))[0]
    depth = {
        "8 bit": np.zeros((64, 80), np.uint8),
        "colour": np.zeros((64, 80, 3), np.uint16),
        "size": np.zeros((64, 81), np.uint16),
    }.get(wrong)
    if depth is None:
        row.image.write_bytes(b"no picture")
    else:
        cv2.imwrite(str(row.depth), depth)
    expected = {"size": "differ in size", "no picture": "not a readable picture"}.get(wrong, "expected 16-bit grey")
    with pytest.raises(DataError, match=expected):
        load_pair(row)


def test_split_keeps_rooms_and_clips_on_one_side() -> None:
    def row(name: str, source: str, sequence: str) -> Row:
        return Row(name, source, "metric_mm", sequence, Path(), Path())

    rows = [row(f"nyu_{i:04}", "nyu_labeled_1449", f"{i}") for i in range(200)]
    rows += [row(f"piv{i}", "piv_ist_kinect", s) for i, s in enumerate(("PIV_livro_1", "PIV_livro_2", "PIV_box"))]
    rows += [row(f"clip{c}_{i}", "people_teacher", f"clip{c}") for c in range(7) for i in range(3)]
    train, validation = split_validation(rows)
    assert sorted(r.name for r in train + validation) == sorted(r.name for r in rows)
    assert not {r.name for r in train} & {r.name for r in validation}
    assert [r.name for r in validation if r.source.startswith("nyu")] == [f"nyu_{i:04}" for i in range(120, 200)]
    assert {r.name for r in validation if r.source.startswith("piv")} == {"piv0", "piv1"}
    people = [{r.sequence for r in part if r.source == "people_teacher"} for part in (train, validation)]
    assert not people[0] & people[1]
    assert people[1] == {"clip0", "clip5"}


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


def test_encoder_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_encoder(DepthNet(), tmp_path / "x.safetensors")
    save_file({"conv1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="do not fit"):
        load_encoder(DepthNet(), tmp_path / "x.safetensors")


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("SMALL_SIZES_HW", "SIZES_HW"):
        monkeypatch.setattr(training, name, ((64, 64),) * 3)
    threads = cv2.getNumThreads(), torch.get_num_threads()
    torch.set_num_threads(1)  # small pictures: more threads only wait for each other
    yield
    cv2.setNumThreads(threads[0])  # the training loop takes OpenCV's threads away
    torch.set_num_threads(threads[1])


def run_training(tmp_path: Path, encoder_file: Path, steps: int, source: str) -> Path:
    path = write_set(tmp_path, source=source)
    out = tmp_path / "run"
    config = training.Config((str(path),), steps=steps, batch=2, warmup_steps=1, learning_rate=1e-3, ema_decay=0.5)
    training.train(config, encoder_file, out)
    return out


def rows_of(log: Path) -> list[dict[str, str]]:
    with log.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("small_sizes")
def test_run_leaves_config_log_and_weights(tmp_path: Path, encoder_file: Path) -> None:
    # Every fifth clip of people is validation: the first of the two.
    out = run_training(tmp_path, encoder_file, steps=3, source="people_teacher")
    assert sorted(p.name for p in out.iterdir()) == ["config.json", "log.csv", "resnet18.safetensors"]
    config = json.loads((out / "config.json").read_text())
    assert (config["steps"], config["batch"], config["encoder"]) == (3, 2, "resnet18")
    scores = {row["name"]: row["value"] for row in rows_of(out / "log.csv") if row["step"] == "3"}
    assert float(scores["validation/pictures"]) == 1
    assert 0.0 <= float(scores["validation/pair_order"]) <= 1.0
    net = load_net(out / "resnet18.safetensors")
    assert bool(torch.isfinite(net(torch.zeros(1, 3, 64, 64))).all())


@pytest.mark.usefixtures("small_sizes")
def test_loss_falls_on_two_pictures(tmp_path: Path, encoder_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "score_rows", lambda *_: training.Score(0, 0, 0, 0, 0))  # pyright: ignore
    losses: list[float] = []
    real_total = training.total_loss

    def recorded(*arguments: torch.Tensor) -> dict[str, torch.Tensor]:
        terms = real_total(*arguments)
        losses.append(float(terms["total"].detach()))
        return terms

    monkeypatch.setattr(training, "total_loss", recorded)
    run_training(tmp_path, encoder_file, steps=40, source="mine")
    assert len(losses) == 40
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:4])
