"""Pictures labelled by another net: a set that training reads, and one line for what is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pullfocus.training.data import open_set

from .command import assert_one_line

HEADER = "name,clip,licence_class\n"


def teacher(folder: Path) -> Path:
    """A net whose inverse depth is the picture's red, at 6 x 8."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 6, 8])
    red = helper.make_tensor_value_info("red", TensorProto.FLOAT, [1, 1, 6, 8])
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


def test_pictures_whose_licence_allows_it_become_a_set_of_relative_depth(tmp_path: Path) -> None:
    pictures = listing(tmp_path, "a.jpg,first,clean\nb.jpg,second,unknown\n")
    out = tmp_path / "labelled.csv"
    done = tool(pictures, "--teacher", teacher(tmp_path), "-o", out)
    assert done.returncode == 0, done.stderr
    (sample,) = open_set(out)
    assert (sample.name, sample.source, sample.kind, sample.sequence) == ("a", "people_teacher", "disparity", "first")
    target = sample.read().target
    assert target[:, 0].min() > target[:, -1].max()
    assert_one_line(tool(pictures, "--teacher", teacher(tmp_path), "-o", out), "--overwrite")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", ("people.csv",)), ("name,clip\na.jpg,first\n", ("no column licence_class",))],
)
def test_what_is_no_listing_is_one_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "people.csv"
    if text:
        path.write_text(text)
    assert_one_line(tool(path, "--teacher", teacher(tmp_path), "-o", tmp_path / "out.csv"), *words)
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_picture_or_net_is_one_line_and_leaves_no_set(tmp_path: Path) -> None:
    pictures, out = listing(tmp_path, "a.jpg,first,clean\nc.jpg,second,clean\n"), tmp_path / "out.csv"
    assert_one_line(tool(pictures, "--teacher", teacher(tmp_path), "-o", out), "c.jpg")
    assert_one_line(tool(pictures, "--teacher", tmp_path / "no.onnx", "-o", out), "no.onnx")
    (tmp_path / "no.onnx").write_bytes(b"no net")
    assert_one_line(tool(pictures, "--teacher", tmp_path / "no.onnx", "-o", out), "no.onnx")
    assert not out.exists()
