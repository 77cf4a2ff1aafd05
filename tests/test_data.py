"""Readers of training data: every layout by hand numbers, every fault listed; the split; sampling weights."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pullfocus.kernels.errors import MissingExtraError
from pullfocus.training.data import (
    DataError,
    DepthKind,
    Pair,
    Sample,
    check,
    open_set,
    sampling_weights,
    source_shares,
    split_validation,
)
from pullfocus.training.data.kaggle_summary import summary
from pullfocus.training.data.nyu import room
from pullfocus.training.data.pictures import PictureFiles

from .sets import write_kaggle, write_mat, write_picture, write_rows, write_set

RGBD = Path(__file__).resolve().parents[2] / "shared" / "data" / "rgbd"


def grey16(value: int, size_hw: tuple[int, int] = (12, 16)) -> np.ndarray:
    return np.full(size_hw, value, np.uint16)


# The csv sets of shared/data/rgbd.


def test_csv_set_gives_inverse_depth_with_holes(tmp_path: Path) -> None:
    path = write_set(tmp_path)
    depth = np.full((64, 80), 2000, np.uint16)
    depth[0], depth[1] = 0, 250
    write_picture(tmp_path / "set" / "p0.png", depth)
    sample = open_set(path)[0]
    assert (sample.name, sample.source, sample.kind, sample.sequence) == ("p0", "mine", "metric", "s0")
    pair = sample.read()
    assert pair.metric
    assert np.isnan(pair.target[0]).all()
    assert (pair.target[1] == 1.0).all()  # nearer than 0.5 m
    assert (pair.target[2:] == 0.25).all()
    assert pair.target.dtype == np.float32
    assert pair.image.shape == (64, 80, 3)
    assert pair.image.dtype == np.uint8
    relative = open_set(write_set(tmp_path, kind="disparity"))[1].read()
    assert not relative.metric
    assert set(np.unique(relative.target)) == {np.float32(0.25), np.float32(1.0)}


def test_pictures_are_rgb(tmp_path: Path) -> None:
    write_picture(tmp_path / "red.png", np.full((4, 4, 3), (0, 0, 200), np.uint8))  # OpenCV writes BGR
    assert (open_set(tmp_path)[0].read().image == (200, 0, 0)).all()


def test_every_missing_file_is_listed(tmp_path: Path) -> None:
    path = write_set(tmp_path, 3)
    for name in ("p0.jpg", "p2.png"):
        (tmp_path / "set" / name).unlink()
    with pytest.raises(DataError, match="2 missing or broken") as caught:
        open_set(path)
    assert "p0.jpg: missing" in str(caught.value)
    assert "p2.png: missing" in str(caught.value)
    assert "p1" not in str(caught.value)


def test_list_of_faults_ends_somewhere(tmp_path: Path) -> None:
    samples = [Sample(f"{i}", "mine", "none", "s", PictureFiles(tmp_path / f"{i}.jpg")) for i in range(70)]
    with pytest.raises(DataError, match=r"70 missing or broken(?s:.*)and 20 more$") as caught:
        check(samples)
    assert str(caught.value).count(": missing") == 50


def test_csv_that_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got depth_kind 'feet'; expected metric_mm or disparity"):
        open_set(write_set(tmp_path, kind="feet"))
    path = write_rows(tmp_path / "set.csv", [["name", "source"], ["p0", "mine"]])
    with pytest.raises(DataError, match="got no column depth_kind, sequence"):
        open_set(path)
    header = ["name", "source", "depth_kind", "sequence"]
    write_rows(
        path, [header, ["p0", "mine", "metric_mm"], ["", "mine", "metric_mm", "s"], ["p1", "a", "metric_mm", "s"]]
    )
    with pytest.raises(DataError, match=r"2 missing(?s:.*)line 2: got no sequence\n  line 3: got no name"):
        open_set(path)
    write_rows(path, [header])
    with pytest.raises(DataError, match="without a single sample"):
        open_set(path)
    path.write_bytes(b"name,source\n\xff\xfe")
    with pytest.raises(DataError, match="cannot read"):
        open_set(path)


WRONG = {
    "8 bit": "got 8-bit grey; expected 16-bit grey",
    "colour": "got 16-bit 3-channel; expected 16-bit grey",
    "size": "picture 80×64 and depth 81×64 differ in size",
    "no picture": "not a readable picture",
    "breaks off": "not a readable picture",
    "empty": "not a readable picture",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_broken_file_is_found_by_the_thorough_check(tmp_path: Path, wrong: str) -> None:
    path = write_set(tmp_path)
    image = tmp_path / "set" / "p1.jpg"
    whole = image.read_bytes()
    arrays = {
        "8 bit": np.zeros((64, 80), np.uint8),
        "colour": np.zeros((64, 80, 3), np.uint16),
        "size": np.zeros((64, 81), np.uint16),
    }
    if wrong in arrays:
        write_picture(tmp_path / "set" / "p1.png", arrays[wrong])
    else:
        image.write_bytes({"no picture": b"text", "breaks off": whole[: len(whole) * 3 // 4], "empty": b""}[wrong])
    samples = open_set(path)
    with pytest.raises(DataError, match=WRONG[wrong]):
        samples[1].read()
    with pytest.raises(DataError, match=f"the 2 samples: 1 missing or broken(?s:.*){WRONG[wrong]}"):
        open_set(path, thorough=True)


def test_thorough_check_lists_missing_and_broken_together(tmp_path: Path) -> None:
    samples = open_set(write_set(tmp_path, 4))
    check(samples, thorough=True)
    (tmp_path / "set" / "p0.png").unlink()
    (tmp_path / "set" / "p2.jpg").write_bytes(b"text")
    (tmp_path / "set" / "p3.png").write_bytes(b"text")
    with pytest.raises(DataError, match="3 missing or broken") as caught:
        check(samples, thorough=True)
    for fault in ("p0.png: missing", "p2.jpg: not a readable picture", "p3.png: not a readable picture"):
        assert fault in str(caught.value)


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


# Plain folders.


@pytest.mark.parametrize(
    ("image", "depth"),
    [
        ("rgb/a/x_01.jpg", "depth/a/x_01.png"),
        ("a/x_01.jpg", "a/x_01.png"),
        ("a/x_01.jpg", "a/x_01_depth.png"),
        ("a/x_01.png", "a/x_01_depth.png"),
    ],
)
def test_plain_folder_of_pairs(tmp_path: Path, image: str, depth: str) -> None:
    folder = tmp_path / "mine"
    write_picture(folder / image, 90)
    write_picture(folder / depth, grey16(2000))
    (sample,) = open_set(folder, thorough=True)
    assert (sample.name, sample.source, sample.kind, sample.sequence) == ("a/x_01", "mine", "metric", "a/x")
    assert (sample.read().target == 0.25).all()
    lone = write_picture(folder / image.replace("01", "02"), 90)
    with pytest.raises(DataError, match=f"1 missing or broken(?s:.*){lone.name}: no"):
        open_set(folder)


def test_depth_without_a_picture_is_listed(tmp_path: Path) -> None:
    for name in ("1", "2"):
        write_picture(tmp_path / "rgb" / f"{name}.jpg", 90)
        write_picture(tmp_path / "depth" / f"{name}.png", grey16(2000))
    assert {s.sequence for s in open_set(tmp_path)} == {tmp_path.name}
    (tmp_path / "rgb" / "2.jpg").unlink()
    with pytest.raises(DataError, match=r"2\.png: no partner"):
        open_set(tmp_path)


def test_unlabelled_folder(tmp_path: Path) -> None:
    for name in ("walk_0001.jpg", "walk_0002.JPG", "b/3.png", ".trash/4.jpg"):
        write_picture(tmp_path / name, 90)
    samples = open_set(tmp_path, thorough=True)
    assert [(s.name, s.kind, s.sequence) for s in samples] == [
        ("b/3", "none", "b"),
        ("walk_0001", "none", "walk"),
        ("walk_0002", "none", "walk"),
    ]
    pair = samples[0].read()
    assert not pair.metric
    assert pair.image.shape == (12, 16, 3)
    assert pair.target.shape == (12, 16)
    assert np.isnan(pair.target).all()


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no such file.*expected SET\.csv"):
        open_set(tmp_path / "nothing.csv")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match=r"a\.txt: got a file of an unknown kind; expected SET\.csv"):
        open_set(tmp_path / "a.txt")
    with pytest.raises(DataError, match="got no picture"):
        open_set(tmp_path)
    path = write_set(tmp_path)
    for folder in (tmp_path, tmp_path / "set"):  # as plain pairs, disparity would be taken for millimetres
        with pytest.raises(DataError, match=f"open {path} instead"):
            open_set(folder)


def test_samples_travel_to_other_processes(tmp_path: Path) -> None:
    write_picture(tmp_path / "alone" / "a.jpg", 90)
    samples = [*open_set(write_set(tmp_path / "csv")), *open_set(write_kaggle(tmp_path / "kaggle"))]
    samples += [*open_set(write_mat(tmp_path, ["a"])), *open_set(tmp_path / "alone")]
    again: list[Sample] = pickle.loads(pickle.dumps(samples))  # noqa: S301
    assert again == samples
    for one, other in zip(samples, again):
        np.testing.assert_array_equal(one.read().target, other.read().target)
    assert repr(samples[0].read()) == "Pair(80×64, metric=True)"
    assert isinstance(samples[0].read(), Pair)


# The split.


def sample(name: str, source: str, sequence: str, kind: DepthKind = "metric") -> Sample:
    return Sample(name, source, kind, sequence, PictureFiles(Path(name)))


def check_halves(samples: list[Sample], train: list[Sample], validation: list[Sample]) -> None:
    assert Counter(train + validation) == Counter(samples)
    assert not set(train) & set(validation)
    for part in (train, validation):
        assert part == [s for s in samples if s in set(part)]


def test_split_keeps_rooms_and_clips_on_one_side() -> None:
    samples = [sample(f"nyu_{i:04}", "nyu_labeled_1449", "nyu_labeled_1449") for i in range(200)]
    samples += [sample(f"piv{i}", "piv_ist_kinect", s) for i, s in enumerate(("PIV_livro_1", "PIV_livro_2", "PIV_box"))]
    samples += [sample(f"clip{c}_{i}", "people_teacher", f"clip{c}", "disparity") for c in range(7) for i in range(3)]
    train, validation = split_validation(samples)
    check_halves(samples, train, validation)
    assert [s.name for s in validation if s.source.startswith("nyu")] == [f"nyu_{i:04}" for i in range(120, 200)]
    assert {s.name for s in validation if s.source.startswith("piv")} == {"piv0", "piv1"}
    people = [{s.sequence for s in part if s.source == "people_teacher"} for part in (train, validation)]
    assert not people[0] & people[1]
    assert people[1] == {"clip0", "clip5"}


def test_split_holds_whole_rooms_of_the_official_file() -> None:
    samples = [sample(f"nyu_{i:06}", "nyu_labeled_1449", f"den_{i // 3:04}{'ab'[i % 2]}") for i in range(300)]
    train, validation = split_validation(samples)
    check_halves(samples, train, validation)
    assert len(validation) == 81  # 80, and the last room whole
    assert not {room(s.sequence) for s in train} & {room(s.sequence) for s in validation}


def test_split_holds_whole_rooms_of_the_kaggle_layout_and_of_what_is_beside_it() -> None:
    samples = [
        sample(f"{r}{part}/{i}", "nyu_kaggle", f"den_{r:04}{part}_out")
        for r in range(40)
        for part in "ab"
        for i in range(2)
    ]
    samples.append(sample("nyu_000007", "nyu_labeled_1449", "den_0039"))
    train, validation = split_validation(samples)
    check_halves(samples, train, validation)
    assert {room(s.sequence) for s in validation} == {"den_0038", "den_0039"}
    assert {room(s.sequence) for s in train} == {f"den_{r:04}" for r in range(38)}
    assert samples[-1] in validation


def test_split_of_any_other_set_is_its_last_block() -> None:
    one = [sample(f"{i:03}", "mine", "mine") for i in range(100)]
    train, validation = split_validation(one)
    check_halves(one, train, validation)
    assert [s.name for s in validation] == ["095", "096", "097", "098", "099"]
    many = [sample(f"{i:03}", "mine", f"s{i // 3:03}") for i in range(100)]
    train, validation = split_validation(many)
    check_halves(many, train, validation)
    assert [s.name for s in validation] == ["096", "097", "098", "099"]  # from the start of a sequence on
    assert split_validation(one[:2]) == (one[:2], [])


def test_unlabelled_pictures_are_never_validation() -> None:
    clips = [sample(f"c{c}", "people_teacher", f"c{c}", "disparity") for c in range(3)]
    free = [sample(f"c{c}_x", "people", f"c{c}", "none") for c in range(3)]
    train, validation = split_validation(clips + free)
    assert validation == clips[:1]
    assert train == clips[1:] + free[1:]  # c0 is held: its unlabelled picture is in neither
    assert split_validation(free) == (free, [])


# Sampling weights.


def test_weights_share_a_batch_by_source() -> None:
    samples = [sample(f"{i}", "a" if i < 3 else "b", "s") for i in range(4)]
    samples += [sample("4", "c", "s"), sample("5", "d", "s")]
    weights = sampling_weights(samples, {"a": 0.6, "b": 0.3, "other": 0.1})
    np.testing.assert_allclose(weights, [0.2, 0.2, 0.2, 0.3, 0.05, 0.05])
    # b is absent: 0.6 and 0.1 remain.
    weights = sampling_weights(samples[:3] + samples[4:], {"a": 0.6, "b": 0.3, "other": 0.1})
    np.testing.assert_allclose(weights, [0.2 / 0.7] * 3 + [0.05 / 0.7] * 2)
    np.testing.assert_allclose(sampling_weights(samples, {"b": 2.0}), [0, 0, 0, 1, 0, 0])


def test_all_nyu_sources_share_nyus_part() -> None:
    shares = source_shares(0.55)
    assert sum(shares.values()) == pytest.approx(1)
    samples = [sample("0", "nyu_labeled_1449", "s"), sample("1", "nyu_kaggle", "s"), sample("2", "piv_ist_kinect", "s")]
    weights = sampling_weights(samples, shares)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] == weights[1]
    assert weights[2] / (weights[0] + weights[1]) == pytest.approx((0.45 * 0.20 / 0.45) / 0.55)
    alone = sampling_weights(samples, {"nyu_kaggle": 0.5, "nyu": 0.25, "other": 0.25})
    np.testing.assert_allclose(alone, [0.25, 0.5, 0.25])


@pytest.mark.parametrize("shares", [{"a": -0.1, "other": 1.0}, {"a": 0.0}, {"b": 1.0}, {}])
def test_shares_that_leave_nothing_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(DataError, match="got shares"):
        sampling_weights([sample("0", "a", "s")], shares)


# The real set, where it is.


def test_real_training_set_is_whole() -> None:
    if not RGBD.is_dir():
        if os.environ.get("PULLFOCUS_REQUIRE_SHARED") == "1":
            pytest.fail(f"{RGBD} is missing, and PULLFOCUS_REQUIRE_SHARED=1 asks for it")
        pytest.skip(f"the RGB-D sets are not here ({RGBD})")
    samples = open_set(RGBD / "train.csv")
    assert Counter(s.source for s in samples) == {
        "nyu_labeled_1449": 795,
        "piv_ist_kinect": 679,
        "replica_office": 81,
        "middlebury_2003_2006": 46,
        "misc_small": 37,
        "midair_synth_outdoor": 22,
        "tum_fr3_cabinet": 20,
    }
    assert len(samples) == 1680
    train, validation = split_validation(samples)
    assert Counter(s.source for s in validation)["nyu_labeled_1449"] == 80
    assert len(train) + len(validation) == 1680
    assert samples[0].read().image.shape == (304, 400, 3)
    assert sampling_weights(samples, source_shares(0.65)).sum() == pytest.approx(1)
