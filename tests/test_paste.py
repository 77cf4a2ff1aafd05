"""People put before rooms: nearer than what they hide, cut along the matte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.training.data import Pair, open_set
from pullfocus.training.paste import RELIEF, Cutout, cut_out, paste

from .command import assert_one_line
from .sets import write_set

SEEDS = range(20)


def person() -> Cutout:
    """A bright ellipse whose left side is nearer, as a teacher would say in a scale of its own."""
    y, x = np.mgrid[:90, :60]
    matte = (np.hypot((x - 30) / 28, (y - 45) / 43) < 1).astype(np.float32)
    found = cut_out(np.full((90, 60, 3), 200, np.uint8), matte, (700 - 10 * x).astype(np.float32))
    assert found is not None
    return found


def room() -> Pair:
    target = np.tile(np.linspace(0.1, 0.3, 160, dtype=np.float32), (120, 1))
    target[:10] = np.nan
    return Pair(np.full((120, 160, 3), 60, np.uint8), target, True)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_person_is_nearer_than_all_they_hide(seed: int) -> None:
    before, after = room(), paste(room(), person(), np.random.default_rng(seed))
    changed = np.nan_to_num(after.target, nan=-1) != np.nan_to_num(before.target, nan=-1)
    assert 0.03 < changed.mean() < 0.9
    hidden = before.target[changed & np.isfinite(before.target)]
    assert after.target[changed].min() >= np.percentile(hidden, 98) - 1e-6
    assert after.target[changed].max() <= 1.0
    assert after.metric
    np.testing.assert_array_equal(after.target[~changed], before.target[~changed])


@pytest.mark.parametrize("seed", SEEDS)
def test_picture_and_depth_change_in_the_same_place(seed: int) -> None:
    before, after = room(), paste(room(), person(), np.random.default_rng(seed))
    deeper = np.nan_to_num(after.target, nan=-1) != np.nan_to_num(before.target, nan=-1)
    brighter = after.image[..., 0].astype(int) - before.image[..., 0] > 25
    assert (deeper != brighter).mean() < 0.02  # the matte's soft edge
    assert after.image[deeper].mean() < 200  # drawn towards the room's light


def test_a_persons_own_depth_is_kept_within_its_bounds() -> None:
    after = paste(room(), person(), np.random.default_rng(3))
    own = after.target[-5, np.nan_to_num(after.target[-5]) != room().target[-5]]
    assert own[0] > own[-1]  # the left side is nearer, as it was
    assert own.max() / own.min() < (1 + RELIEF) / (1 - RELIEF) * 1.001


def test_the_same_dice_make_the_same_picture() -> None:
    one, same, other = (paste(room(), person(), np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.image, same.image)
    np.testing.assert_array_equal(one.target, same.target)
    assert not np.array_equal(one.image, other.image)


@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_a_matte_without_a_usable_person_gives_none(share: float) -> None:
    matte = (np.linspace(0, 1, 10_000) < share).astype(np.float32).reshape(100, 100)
    assert cut_out(np.zeros((100, 100, 3), np.uint8), matte, matte) is None


def test_a_matte_in_pieces_or_undecided_gives_none() -> None:
    picture, whole = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100), np.float32)
    whole[20:80, 20:80] = 1.0
    assert cut_out(picture, whole, whole) is not None
    pieces = whole.copy()
    pieces[45:55] = 0.0
    assert cut_out(picture, pieces, whole) is None
    assert cut_out(picture, whole * 0.8, whole) is None


def people_and_rooms(folder: Path) -> tuple[Path, Path]:
    """A set of rooms, and two clips of people, of which validation holds the first."""
    rooms, people = write_set(folder / "rooms", 3), write_set(folder / "people", 2, "disparity", "people_teacher")
    matte = np.zeros((64, 80), np.uint8)
    matte[16:64, 20:50] = 255
    for name in ("p0", "p1"):
        cv2.imwrite(str(folder / "people" / "set" / f"{name}.matte.png"), matte)
    return rooms, people


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pullfocus.training.paste", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_tool_writes_a_set_that_training_reads(tmp_path: Path) -> None:
    rooms, people = people_and_rooms(tmp_path)
    done = tool(rooms, people, "-o", tmp_path / "out.csv", "--count", "3")
    assert done.returncode == 0, done.stderr
    made = open_set(tmp_path / "out.csv")
    assert {(s.source, s.kind, s.sequence) for s in made} == {("people_pasted", "metric", "s1")}
    assert len(made) == 3
    for sample in made:
        pair = sample.read()
        assert pair.target.shape == pair.image.shape[:2]
        room_only = np.isclose(pair.target, 0.125) | np.isclose(pair.target, 0.5)
        assert 0.05 < 1 - room_only.mean() < 0.9


def test_what_the_tool_cannot_do_is_one_line(tmp_path: Path) -> None:
    rooms, people = people_and_rooms(tmp_path)
    (tmp_path / "people" / "set" / "p1.matte.png").unlink()
    assert_one_line(tool(rooms, people, "-o", tmp_path / "out.csv"), "p1.matte.png", "cannot be read")
    cv2.imwrite(str(tmp_path / "people" / "set" / "p1.matte.png"), np.zeros((8, 8), np.uint8))
    assert_one_line(tool(rooms, people, "-o", tmp_path / "out.csv"), "not of its picture's size")
    cv2.imwrite(str(tmp_path / "people" / "set" / "p1.matte.png"), np.zeros((64, 80), np.uint8))
    assert_one_line(tool(rooms, people, "-o", tmp_path / "out.csv"), "0 people to cut out")
    assert_one_line(tool(rooms, people, "-o", rooms), "exists", "--overwrite")


def test_a_set_is_replaced_whole_and_never_one_that_is_read(tmp_path: Path) -> None:
    rooms, people = people_and_rooms(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    for source in (rooms, people):
        assert_one_line(tool(rooms, people, "-o", source, "--overwrite"), "is the input")
    assert sorted(tmp_path.rglob("*")) == before
    for count, more in ((3, ()), (2, ("--overwrite",))):
        done = tool(rooms, people, "-o", tmp_path / "out.csv", "--count", count, *more)
        assert done.returncode == 0, done.stderr
        assert len(list((tmp_path / "out").glob("*.jpg"))) == len(open_set(tmp_path / "out.csv")) == count
