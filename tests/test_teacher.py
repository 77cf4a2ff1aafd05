"""Pictures labelled by another net: a set that training reads, and one line for what is not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pullfocus.training.data import open_set

from .command import assert_one_line

HEADER = "name,clip,licence_class\n"


def teacher(folder: Path, shape: Sequence[int | str] = (1, 3, 6, 8)) -> Path:
    """A net whose inverse depth is the picture's red."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
    red = helper.make_tensor_value_info("red", TensorProto.FLOAT, None)
    first = numpy_helper.from_array(np.zeros(1, np.int64), "first")
    gather = helper.make_node("Gather", ["picture", "first"], ["red"], axis=1)
    graph = helper.make_graph([gather], "teacher", [picture], [red], [first])
    path = folder / "teacher.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def listing(folder: Path, text: str) -> Path:
    """Two pictures, red to their left, listed by `text`."""
    path = folder / "people.csv"
    (folder / "people").mkdir()
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 2] = np.linspace(250, 5, 64)
    for name in ("a.jpg", "b.jpg"):
        cv2.imwrite(str(folder / "people" / name), picture)
    path.write_text(HEADER + text)
    return path


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pullfocus.training.teacher", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_pictures_whose_licence_allows_it_become_a_set_of_relative_depth(tmp_path: Path) -> None:
    pictures = listing(tmp_path, 'a.jpg,"first, of two",clean\nb.jpg,second,unknown\n')
    out = tmp_path / "labelled.csv"
    done = tool(pictures, "--teacher", teacher(tmp_path), "-o", out)
    assert done.returncode == 0, done.stderr
    (sample,) = open_set(out)
    found = sample.name, sample.source, sample.kind, sample.sequence
    assert found == ("a", "people_teacher", "disparity", "first, of two")
    target = sample.read().target
    assert target[:, 0].min() > target[:, -1].max()


def test_a_set_is_replaced_whole_and_only_when_asked_to(tmp_path: Path) -> None:
    pictures, net, out = listing(tmp_path, "a.jpg,first,clean\n"), teacher(tmp_path), tmp_path / "out.csv"
    assert tool(pictures, "--teacher", net, "-o", out).returncode == 0
    before = contents(tmp_path / "out")
    assert_one_line(tool(pictures, "--teacher", net, "-o", out), "--overwrite")
    pictures.write_text(HEADER + "b.jpg,first,clean\nc.jpg,second,clean\n")  # there is no c.jpg
    assert_one_line(tool(pictures, "--teacher", net, "-o", out, "--overwrite"), "c.jpg")
    assert contents(tmp_path / "out") == before
    pictures.write_text(HEADER + "b.jpg,first,clean\n")
    assert tool(pictures, "--teacher", net, "-o", out, "--overwrite").returncode == 0
    assert sorted(contents(tmp_path / "out")) == ["b.jpg", "b.png"]
    assert [sample.name for sample in open_set(out)] == ["b"]


def test_the_pictures_that_are_labelled_are_never_replaced(tmp_path: Path) -> None:
    pictures = listing(tmp_path, "a.jpg,first,clean\n")
    before = contents(tmp_path / "people")
    done = tool(pictures, "--teacher", teacher(tmp_path), "-o", pictures, "--overwrite")
    assert_one_line(done, "is the input")
    assert contents(tmp_path / "people") == before


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    pictures, net = listing(tmp_path, "a.jpg,first,clean\n"), teacher(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.jpg").write_text("a letter")
    for more in ((), ("--overwrite",)):
        assert_one_line(tool(pictures, "--teacher", net, "-o", tmp_path / "mine.csv", *more), "no set's folder")
    assert contents(tmp_path / "mine") == {"a.jpg": b"a letter"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "people.csv"),
        ("name,clip\na.jpg,first\n", "no column licence_class"),
        (HEADER + "a.jpg,first,unknown\n", "no picture of licence_class clean"),
    ],
)
def test_what_is_no_listing_is_one_line(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "people.csv"
    if text is not None:
        path.write_text(text)
    assert_one_line(tool(path, "--teacher", teacher(tmp_path), "-o", tmp_path / "out.csv"), words)
    assert not (tmp_path / "out.csv").exists()


def test_pictures_whose_depth_would_take_their_place_are_refused(tmp_path: Path) -> None:
    pictures = listing(tmp_path, "a.png,first,clean\n")
    done = tool(pictures, "--teacher", teacher(tmp_path), "-o", tmp_path / "out.csv")
    assert done.returncode == 2
    assert "a.png: expected a .jpg" in done.stderr


@pytest.mark.parametrize("shape", [(1, 3, "h", "w"), (1, 1, 6, 8), (3, 8)])
def test_a_net_that_takes_something_else_is_one_line(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    pictures = listing(tmp_path, "a.jpg,first,clean\n")
    assert_one_line(tool(pictures, "--teacher", teacher(tmp_path, shape), "-o", tmp_path / "out.csv"), "1 3 height")
    assert not (tmp_path / "out").exists()


def test_a_missing_or_broken_net_is_one_line(tmp_path: Path) -> None:
    pictures, net, out = listing(tmp_path, "a.jpg,first,clean\n"), tmp_path / "no.onnx", tmp_path / "out.csv"
    assert_one_line(tool(pictures, "--teacher", net, "-o", out), "no such file")
    net.write_bytes(b"no net")
    assert_one_line(tool(pictures, "--teacher", net, "-o", out), "not an ONNX model")
    assert not out.exists()
