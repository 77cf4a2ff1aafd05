"""`pullfocus figure`: eight figures of any picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.training.figure import FigureRequest
from pullfocus.training.figures import FIGURES, Scene, write_figures

from .command import assert_one_line, run, run_here


def scene(truth: bool) -> Scene:
    """Three bands, near at the left, textured so that blur shows."""
    depth = np.repeat(np.array([0.8, 0.5, 0.2], np.float32), 40)[None].repeat(90, axis=0)
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    return Scene(picture, {"one": depth, "two": depth * 0.9}, depth if truth else None, layers=3)


def test_all_eight_are_drawn_without_truth_too(tmp_path: Path) -> None:
    assert_all_eight(write_figures(scene(False), tmp_path))


def assert_all_eight(written: list[Path]) -> None:
    assert [path.name[0] for path in written] == list("12345678")
    for path in written:
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.std() > 20, path


def test_raw_classes_are_a_renumbering_of_the_ordered() -> None:
    panels = {name: FIGURES[name](scene(True)) for name in ("5_clusters", "6_ordered")}
    raw, ordered = (np.asarray(figure.axes[1].images[0].get_array()) for figure in panels.values())
    assert [int(ordered[0, x]) for x in (20, 60, 100)] == [0, 1, 2]  # near to far
    assert len({(int(a), int(b)) for a, b in zip(raw.ravel(), ordered.ravel())}) == 3


def test_after_is_sharp_in_the_layer_in_focus_only() -> None:
    before, after = (np.asarray(axes.images[0].get_array()) for axes in FIGURES["7_before_after"](scene(False)).axes)
    contrast = [float(after[:, part].std() / before[:, part].std()) for part in (slice(5, 30), slice(90, 115))]
    assert contrast[0] > 0.95
    assert contrast[1] < 0.6


def test_from_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    picture, depth = tmp_path / "in.png", tmp_path / "depth.png"
    cv2.imwrite(str(picture), scene(True).picture)
    cv2.imwrite(str(depth), np.full((90, 120), 2000, np.uint16))
    done = run("figure", picture, "-o", tmp_path / "out", "--truth", depth, timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert_all_eight(sorted((tmp_path / "out").iterdir()))
    assert_one_line(run_here(capfd, "figure", picture, "-o", tmp_path / "out"), "exists", "--overwrite")
    wrong = run_here(capfd, "figure", picture, "-o", tmp_path / "new", "--truth", picture)
    assert_one_line(wrong, "16-bit grey PNG in mm")


def test_layers_and_focus_are_checked() -> None:
    with pytest.raises(InputError, match="--layers: got 1"):
        FigureRequest(Path("a"), Path("b"), layers=1)
    with pytest.raises(InputError, match="--focus: got layer 6, expected 1 to 5"):
        FigureRequest(Path("a"), Path("b"), focus=6)
