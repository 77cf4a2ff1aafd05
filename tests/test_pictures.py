"""`pullfocus image` and `pullfocus depth` on pictures, as their user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from .clip import draw
from .command import assert_one_line, run, run_here

PLANE = ("--engine", "plane")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    for index, name in enumerate(("a.png", "b.jpg", "c with space ü.png")):
        assert cv2.imwrite(str(source / name), draw(4 * index, (160 + 32 * index, 96)))
    return source


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def test_a_folder_is_refocused_with_names_and_sizes_kept(folder: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "r.json"
    assert run("image", folder, "-o", out, *PLANE, "--aperture", "20", "--json", report).returncode == 0
    for path in folder.iterdir():
        assert read(out / path.name).shape == read(path).shape
        assert (read(out / path.name) != read(path)).any()
    assert json.loads(report.read_text())["frames"] == 3


def test_a_picture_of_a_folder_comes_out_as_it_does_alone(folder: Path, tmp_path: Path) -> None:
    """Nothing of one picture leaks into the next."""
    assert run("image", folder, "-o", tmp_path / "all", *PLANE).returncode == 0
    assert run("image", folder / "c with space ü.png", "-o", tmp_path / "one.png", *PLANE).returncode == 0
    np.testing.assert_array_equal(read(tmp_path / "all" / "c with space ü.png"), read(tmp_path / "one.png"))


def test_depth_of_pictures_is_16_bit_png_of_their_size(folder: Path, tmp_path: Path) -> None:
    assert run("depth", folder, "-o", tmp_path / "d", *PLANE).returncode == 0
    depth = read(tmp_path / "d" / "b.png")
    assert (depth.dtype, depth.shape) == (np.dtype(np.uint16), read(folder / "b.jpg").shape[:2])
    assert depth[0].max() < 500
    assert depth[-1].min() > 65000


def test_a_given_depth_is_used_untouched_and_decides_what_is_sharp(folder: Path, tmp_path: Path) -> None:
    source = folder / "a.png"
    depth = np.zeros((96, 160), np.uint16)
    depth[:, 80:] = 65535
    cv2.imwrite(str(tmp_path / "d.png"), depth)
    out = tmp_path / "out.png"
    assert run("image", source, "-o", out, "--depth-in", tmp_path / "d.png", "--focus", "1.0").returncode == 0
    before, after = read(source).astype(int), read(out).astype(int)
    np.testing.assert_array_equal(after[:, 90:], before[:, 90:])
    assert np.abs(after - before)[:, :70].mean() > 3


def test_the_panel_is_four_pictures(folder: Path, tmp_path: Path) -> None:
    assert run("image", folder / "a.png", "-o", tmp_path / "p.png", *PLANE, "--view", "panel").returncode == 0
    panel, source = read(tmp_path / "p.png"), read(folder / "a.png")
    assert panel.shape == (192, 320, 3)
    np.testing.assert_array_equal(panel[20:96, :160], source[20:])  # below the caption: the source


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("image", "missing.png", "-o", "out.png"), ("missing.png does not exist",)),
        (("image", "text.png", "-o", "out.png"), ("not a readable picture",)),
        (("image", "a.png", "-o", "out.gif"), ("'.gif'", ".png")),
        (("image", "empty", "-o", "out"), ("holds no pictures",)),
        (("image", "a.png", "-o", "out.png", "--depth-in", "a.png"), ("uint8 colour", "16-bit grey PNG")),
        (("image", "a.png", "-o", "out.png", "--depth-in", "none.png"), ("none.png does not exist",)),
        (("depth", "a.png", "-o", "out.jpg"), ("16-bit PNG",)),
        (("image", "a.png", "-o", "out.png", "--depth-out", "out.png"), ("out.png is named for two files",)),
        (("image", "twins", "-o", "out", "--depth-out", "deep"), ("b.png is named for two files",)),
        (("image", "twins", "-o", "out", "--depth-in", "twins"), ("b.png would be the depth of two pictures",)),
        (("depth", "twins", "-o", "out"), ("b.png is named for two files",)),
        (("image", "a.png", "-o", "out.png", "--aperture", "-1"), ("--aperture", "0 to 50")),
        (("image", "a.png", "-o", "out.png", "--aperture", "wide"), ("--aperture", "number")),
        (("image", "a.png", "-o", "out.png", "--layers", "1"), ("--layers", "2 to 16")),
        (("image", "a.png", "-o", "out.png", "--kernel", "star"), ("kernel", "star")),
        (("image", "a.png", "-o", "out.png", "--focus", "2"), ("--focus 2", "layer:N")),
        (("image", "a.png", "-o", "out.png", "--engine", "torch", "--device", "cuda"), ("--device cuda",)),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", draw(0, (160, 96)))
    Path("text.png").write_text("not a picture")
    Path("empty").mkdir()
    Path("twins").mkdir()
    for name in ("b.png", "b.jpg"):
        cv2.imwrite(f"twins/{name}", draw(0, (160, 96)))
    assert_one_line(run_here(capfd, *arguments, *(() if "--engine" in arguments else PLANE)), *words)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "empty", "text.png", "twins"]
