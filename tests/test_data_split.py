"""The cut for validation, and how often each source is drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pullfocus.training.data import (
    DataError,
    DepthKind,
    Sample,
    sampling_weights,
    split_validation,
)
from pullfocus.training.data.nyu import room
from pullfocus.training.data.pictures import PictureFiles

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


def test_split_holds_both_views_of_a_middlebury_scene() -> None:
    source = "middlebury_2003_2006"
    names = [f"middlebury_{scene}_view{k}" for scene in ("Aloe", "Laundry", "Moebius", "Books") for k in (1, 5)]
    train, validation = split_validation([sample(name, source, source, "disparity") for name in names])
    assert [s.name for s in train] == names[:2] + names[6:]
    assert [s.name for s in validation] == names[2:6]


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
    samples = [sample("0", "nyu_labeled_1449", "s"), sample("1", "nyu_kaggle", "s"), sample("2", "piv_ist_kinect", "s")]
    np.testing.assert_allclose(sampling_weights(samples, {"nyu": 0.6, "other": 0.4}), [0.3, 0.3, 0.4])
    alone = sampling_weights(samples, {"nyu_kaggle": 0.5, "nyu": 0.25, "other": 0.25})
    np.testing.assert_allclose(alone, [0.25, 0.5, 0.25])


@pytest.mark.parametrize("shares", [{"a": -0.1, "other": 1.0}, {"a": 0.0}, {"b": 1.0}, {}])
def test_shares_that_leave_nothing_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(DataError, match="got shares"):
        sampling_weights([sample("0", "a", "s")], shares)
