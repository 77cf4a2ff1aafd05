"""Readers of the two layouts of NYU Depth v2: by hand numbers, every fault listed."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pullfocus.kernels.errors import MissingExtraError
from pullfocus.training.data import (
    DataError,
    Sample,
    check,
    open_set,
)
from pullfocus.training.data.kaggle_summary import summary

from .sets import grey16, write_kaggle, write_mat, write_picture, write_rows

# The Kaggle layout.


def test_kaggle_layout(tmp_path: Path) -> None:
    path = write_kaggle(tmp_path)
    depth = np.full((12, 16), 255, np.uint8)
    depth[0], depth[1] = 0, 6
    write_picture(tmp_path / "data/nyu2_train/den_0001_out/2.png", depth)
    samples = open_set(path, thorough=True)
    assert [(s.name, s.sequence) for s in samples[:3]] == [
        ("den_0001_out/1", "den_0001_out"),
        ("den_0001_out/2", "den_0001_out"),
        ("den_0002_out/1", "den_0002_out"),
    ]
    assert {s.source for s in samples} == {"nyu_kaggle"}
    first, second = samples[0].read(), samples[1].read()
    assert first.metric
    assert (first.target == np.float32(0.25)).all()  # 51 / 255 · 10 m = 2 m
    assert np.isnan(second.target[0]).all()
    assert (second.target[1] == 1.0).all()  # 0.24 m
    assert (second.target[2:] == np.float32(0.05)).all()  # 10 m
    for place in (tmp_path, tmp_path / "data"):
        assert open_set(place) == samples


def test_kaggle_test_is_millimetres_inside_the_crop(tmp_path: Path) -> None:
    depth = grey16(4000, (480, 640))
    depth[45:471, 41:601] = 1000
    write_picture(tmp_path / "data/nyu2_test/00000_colors.png", 90, (480, 640))
    write_picture(tmp_path / "data/nyu2_test/00000_depth.png", depth)
    rows = [["data/nyu2_test/00000_colors.png", "data/nyu2_test/00000_depth.png"]]
    write_rows(tmp_path / "data" / "nyu2_test.csv", rows)
    (sample,) = open_set(tmp_path, "test")
    pair = sample.read()
    assert pair.image.shape == (426, 560, 3)
    assert pair.target.shape == (426, 560)
    assert (pair.target == 0.5).all()
    write_picture(tmp_path / "data/nyu2_test/00000_colors.png", 90)
    write_picture(tmp_path / "data/nyu2_test/00000_depth.png", grey16(1000))
    with pytest.raises(DataError, match="got 16×12; expected 640×480"):
        sample.read()
    with pytest.raises(DataError, match=r"nyu2_train\.csv"):
        open_set(tmp_path, "train")


def test_kaggle_rows_may_start_at_the_csv(tmp_path: Path) -> None:
    write_kaggle(tmp_path / "data", ["den_0001_out"])
    inner = (tmp_path / "data" / "data" / "nyu2_train.csv").rename(tmp_path / "data" / "nyu2_train.csv")
    assert len(open_set(inner)) == 2


def test_kaggle_faults_are_listed(tmp_path: Path) -> None:
    path = write_kaggle(tmp_path)
    text = path.read_text()
    path.write_text(text + "data/x.jpg\n,\n" + text + "\n\n")
    with pytest.raises(DataError, match=r"2 missing or broken(?s:.*)line 5: expected PICTURE,DEPTH\n  line 6"):
        open_set(path)
    path.write_text(text)
    (tmp_path / "data/nyu2_train/den_0002_out/1.png").unlink()
    (tmp_path / "data/nyu2_train/den_0001_out/1.jpg").unlink()
    with pytest.raises(DataError, match="2 missing or broken"):
        open_set(path)


def test_kaggle_summary_counts_scenes_sizes_and_faults(tmp_path: Path) -> None:
    path = write_kaggle(tmp_path, ["den_0001_out", "den_0002_out"], 3)
    assert summary(path).drop(columns="sizes").sum().to_dict() == {
        "pairs": 6, "empty": 0, "duplicate": 0, "missing": 0, "unreadable": 0, "size_mismatch": 0,
    }  # fmt: skip
    den = tmp_path / "data" / "nyu2_train" / "den_0002_out"
    (den / "1.png").unlink()
    write_picture(den / "2.png", np.full((12, 20), 51, np.uint8))
    (den / "3.jpg").write_bytes(b"text")
    write_picture(tmp_path / "data/nyu2_train/den_0001_out/2.jpg", 90, (24, 32))
    write_picture(tmp_path / "data/nyu2_train/den_0001_out/2.png", np.full((24, 32), 51, np.uint8))
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n,\n")
    table = summary(path)
    assert table.index.tolist() == ["", "den_0001_out", "den_0002_out"]
    assert table.loc["den_0001_out"].to_dict() == {
        "pairs": 4, "sizes": "16×12, 32×24", "empty": 0, "duplicate": 1, "missing": 0, "unreadable": 0,
        "size_mismatch": 0,
    }  # fmt: skip
    assert table.loc["den_0002_out"].to_dict() == {
        "pairs": 3, "sizes": "16×12", "empty": 0, "duplicate": 0, "missing": 1, "unreadable": 1, "size_mismatch": 1,
    }  # fmt: skip
    assert table.loc[""].to_dict()["empty"] == 1


# The official file.


def test_official_file(tmp_path: Path) -> None:
    path = write_mat(tmp_path, ["den_0001", "den_0001", "hall_0002", "hall_0003"], test=[0, 3])
    samples = open_set(path, thorough=True)
    assert [(s.name, s.sequence) for s in samples] == [("nyu_000001", "den_0001"), ("nyu_000002", "hall_0002")]
    assert {(s.source, s.kind) for s in samples} == {("nyu_labeled_1449", "metric")}
    pair = samples[0].read()
    assert pair.image.shape == (426, 560, 3)
    assert pair.image[0, 0].tolist() == [45 // 2, 41 // 4, 1]
    assert pair.image[425, 559].tolist() == [470 // 2, 600 // 4, 1]
    assert np.argwhere(np.isnan(pair.target)).tolist() == [[100 - 45, 200 - 41]]
    assert np.nanmin(pair.target) == np.nanmax(pair.target) == 0.25  # 2 m
    assert [s.name for s in open_set(tmp_path, "test")] == ["nyu_000000", "nyu_000003"]


def test_official_file_is_read_by_threads_and_processes_at_once(tmp_path: Path) -> None:
    samples = open_set(write_mat(tmp_path, ["a", "b", "c", "d"]))
    check(samples * 8, thorough=True)
    samples[0].read()  # a handle left open here would be carried into the forked process
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        for sample, pair in zip(samples, pool.map(Sample.read, samples)):
            np.testing.assert_array_equal(pair.target, sample.read().target)


def test_official_file_without_its_split_is_refused(tmp_path: Path) -> None:
    path = write_mat(tmp_path, ["a", "b"])
    good = (tmp_path / "splits.mat").read_bytes()
    (tmp_path / "splits.mat").unlink()
    with pytest.raises(DataError, match=r"splits\.mat: missing.*get http"):
        open_set(path)
    (tmp_path / "splits.mat").write_bytes(b"garbage")
    with pytest.raises(DataError, match="expected trainNdxs and testNdxs"):
        open_set(path)
    write_mat(tmp_path, ["a"])
    (tmp_path / "splits.mat").write_bytes(good)
    with pytest.raises(DataError, match="twice or beyond 1"):
        open_set(path)


def test_file_that_is_not_the_official_one_is_refused(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "nyu_depth_v2_labeled.mat"
    path.write_bytes(b"garbage")
    with pytest.raises(DataError, match="expected the official"):
        open_set(path)
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((2, 3, 4, 5), np.uint8)
    with pytest.raises(DataError, match="depths"):
        open_set(path)
    with h5py.File(path, "a") as file:
        file["depths"], file["scenes"] = np.zeros((2, 4, 5), np.float32), np.zeros((1, 2))
    with pytest.raises(DataError, match=r"got images \(2, 3, 4, 5\)"):
        open_set(path)


@pytest.mark.parametrize("package", ["h5py", "pandas"])
def test_missing_package_is_named(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mat, table = write_mat(tmp_path, ["a"]), write_kaggle(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pip install 'pullfocus\[train\]'"):
        open_set(mat) if package == "h5py" else summary(table)
