"""Readers of csv sets and plain folders: by hand numbers, every fault listed."""

from __future__ import annotations

import os
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pullfocus.training.data import (
    DataError,
    Pair,
    Sample,
    check,
    open_labelled,
    open_set,
    sampling_weights,
    split_validation,
)
from pullfocus.training.data.pictures import PictureFiles

from .sets import grey16, write_kaggle, write_mat, write_picture, write_rows, write_set

RGBD = Path(__file__).resolve().parents[2] / "shared" / "data" / "rgbd"


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
    with pytest.raises(DataError, match="got 3 pictures, none of them with depth"):
        open_labelled([tmp_path])


def test_pictures_without_depth_are_left_out_of_those_with(tmp_path: Path) -> None:
    write_picture(tmp_path / "bare" / "1.jpg", 90)
    labelled = open_labelled([tmp_path / "bare", write_set(tmp_path)])
    assert [sample.name for sample in labelled] == ["p0", "p1"]


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
    held = Counter(s.source for s in validation)
    assert held == {"nyu_labeled_1449": 80, "piv_ist_kinect": 100, "middlebury_2003_2006": 4}
    assert len(train) + len(validation) == 1680
    assert samples[0].read().image.shape == (304, 400, 3)
    shares = {"nyu": 0.65, "piv_ist_kinect": 0.22, "other": 0.13}
    assert sampling_weights(samples, shares).sum() == pytest.approx(1)
