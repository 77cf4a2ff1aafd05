"""Faces: which one is in focus, and OpenCV's detector with a model of its true format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.engines.atomic import write_text
from pullfocus.kernels.api import Picture
from pullfocus.kernels.errors import InputError
from pullfocus.stream.faces import FIND_EVERY_S, LOST_S, RIVAL_S, Face, FaceTracker, YuNet
from pullfocus.stream.pictures import read_picture

from .command import assert_one_line, run
from .scene import focus_at, puller
from .yunet_file import write_yunet

SMALL, LARGE = Face(0.1, 0.1, 0.1, 0.2), Face(0.6, 0.3, 0.2, 0.3)
FRAME_S = 1 / 30
PLAIN = np.zeros((54, 96, 3), np.uint8)


class Script:
    """Finds what it is told; counts how often it was asked."""

    def __init__(self, faces: Sequence[Face]) -> None:
        self.faces, self.asked = faces, 0

    def find(self, picture: Picture) -> Sequence[Face]:
        self.asked += 1
        return self.faces


def moved(face: Face, x: float) -> Face:
    return Face(face.left + x, face.top, face.width, face.height)


def over(tracker: FaceTracker, start_s: float, seconds: float) -> list[Face | None]:
    return [tracker.face(PLAIN, start_s + k * FRAME_S) for k in range(round(seconds / FRAME_S))]


def scene() -> NDArray[np.float32]:
    """0.3 where SMALL is, 0.6 where LARGE is, a near wall elsewhere, which auto would take without a face."""
    depth = np.full((54, 96), 0.9, np.float32)
    for face, value in ((SMALL, 0.3), (LARGE, 0.6)):
        left, top, right, bottom = face.shrunk(0.8)
        depth[round(top * 54) : round(bottom * 54), round(left * 96) : round(right * 96)] = value
    return depth


def test_the_largest_face_decides_the_focus() -> None:
    assert focus_at(puller("auto"), scene()) == pytest.approx(0.9, abs=2e-3)
    assert focus_at(puller("auto", Script([SMALL])), scene()) == pytest.approx(0.3)
    assert focus_at(puller("auto", Script([SMALL, LARGE])), scene()) == pytest.approx(0.6)
    assert focus_at(puller("0.45", Script([SMALL, LARGE])), scene()) == pytest.approx(0.45)


def test_faces_are_looked_for_a_few_times_a_second_only() -> None:
    finder = Script([LARGE])
    assert over(FaceTracker(finder), 0.0, 2.0) == [LARGE] * 60
    assert 2.0 / FIND_EVERY_S / 2 <= finder.asked <= 2.0 / FIND_EVERY_S


def test_a_face_stays_in_focus_while_another_is_hardly_larger() -> None:
    finder = Script([SMALL])
    tracker = FaceTracker(finder)
    over(tracker, 0.0, 1.0)
    hardly = Face(0.6, 0.3, 0.1, 0.28)
    finder.faces = [hardly, moved(SMALL, 0.02)]
    assert over(tracker, 1.0, 3.0)[-1] == moved(SMALL, 0.02)


def test_a_face_that_is_much_larger_for_long_gets_the_focus() -> None:
    finder = Script([SMALL])
    tracker = FaceTracker(finder)
    over(tracker, 0.0, 1.0)
    finder.faces = [SMALL, LARGE]
    seen = over(tracker, 1.0, 2 * RIVAL_S + 2 * FIND_EVERY_S)
    turned = seen.index(LARGE) * FRAME_S
    assert RIVAL_S <= turned <= RIVAL_S + 2 * FIND_EVERY_S
    assert set(seen[seen.index(LARGE) :]) == {LARGE}


def test_a_face_that_is_lost_may_come_back_before_another_is_taken() -> None:
    finder = Script([SMALL])
    tracker = FaceTracker(finder)
    over(tracker, 0.0, 1.0)
    finder.faces = [LARGE]
    assert set(over(tracker, 1.0, 0.8 * LOST_S)) <= {SMALL, None}
    finder.faces = [SMALL, LARGE]
    assert over(tracker, 1.0 + 0.8 * LOST_S, 0.4)[-1] == SMALL
    finder.faces = [LARGE]
    assert over(tracker, 3.0, LOST_S + 3 * FIND_EVERY_S)[-1] == LARGE


def test_the_focus_stays_on_a_person_whose_face_is_turned_away() -> None:
    finder, depth = Script([SMALL]), np.full((54, 96), 0.9, np.float32)
    depth[:, :60] = 0.3
    puller_ = puller("auto", finder)
    for frame in range(30):
        assert focus_at(puller_, depth, frame * FRAME_S) == pytest.approx(0.3, abs=2e-3)
    finder.faces = []
    for frame in range(30, 120):
        assert focus_at(puller_, depth, frame * FRAME_S) == pytest.approx(0.3, abs=2e-3)


def test_a_reset_looks_for_faces_at_once_and_owes_nothing_to_the_last_one() -> None:
    finder = Script([SMALL])
    puller_ = puller("auto", finder)
    focus_at(puller_, scene())
    finder.faces = [LARGE]
    puller_.reset()
    assert focus_at(puller_, scene(), FRAME_S) == pytest.approx(0.6)


def test_boxes_know_their_overlap() -> None:
    box = Face(0.0, 0.0, 0.4, 0.2)
    assert box.overlap(box) == pytest.approx(1.0)
    assert box.overlap(Face(0.2, 0.0, 0.4, 0.2)) == pytest.approx(1 / 3)
    assert box.overlap(Face(0.5, 0.0, 0.4, 0.2)) == 0.0
    assert box.shrunk(0.5) == pytest.approx((0.1, 0.05, 0.3, 0.15))


@pytest.mark.parametrize("size_wh", [(1280, 720), (720, 1280), (320, 240), (101, 77)])
def test_opencv_finds_faces_where_they_are(tmp_path: Path, size_wh: tuple[int, int]) -> None:
    finder, (width, height) = YuNet(write_yunet(tmp_path / "faces.onnx")), size_wh
    picture = np.full((height, width, 3), 90, np.uint8)
    assert finder.find(picture) == ()
    side = round(0.25 * min(width, height))
    left, top = round(0.5 * width), round(0.4 * height)
    picture[top : top + side, left : left + side] = (255, 0, 0)
    faces = finder.find(picture)
    assert faces
    for face in faces:
        x, y = (face.left + face.width / 2) * width, (face.top + face.height / 2) * height
        assert left - 2 <= x <= left + side + 2
        assert top - 2 <= y <= top + side + 2
        assert face.width * width == pytest.approx(face.height * height, rel=0.02)


def test_the_model_that_the_user_names_decides(tmp_path: Path) -> None:
    """A picture through the real command: with the model what is behind the red square is blurred, without it not."""
    model, picture = write_yunet(tmp_path / "faces.onnx"), np.full((96, 160, 3), 90, np.uint8)
    picture[:, ::4] = 150  # stripes, to see blur in
    picture[40:56, 72:88] = (255, 0, 0)
    depth = np.full((96, 160), 20_000, np.uint16)
    depth[36:60, 68:92] = 50_000
    cv2.imwrite(str(tmp_path / "in.png"), picture[..., ::-1])
    cv2.imwrite(str(tmp_path / "depth.png"), depth)
    changes = list[float]()
    for more in ((), ("--face-model", model)):
        out = tmp_path / f"out{len(more)}.png"
        result = run("image", tmp_path / "in.png", "-o", out, "--depth-in", tmp_path / "depth.png", *more)
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        changes.append(float(np.abs(read_picture(out).astype(int) - picture)[:, :40].mean()))
    assert changes[0] < 1.0
    assert changes[1] > 10.0


def test_a_file_that_is_no_model_of_faces_is_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    write_text(text, "not a model")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(write_yunet(tmp_path / "whole.onnx").read_bytes()[:2000])
    for path, words in ((tmp_path / "no.onnx", "no such file"), (tmp_path, "no such file"), (text, "cannot use it"),
                        (broken, "cannot use it")):  # fmt: skip
        with pytest.raises(InputError, match=words) as caught:
            YuNet(path)
        assert str(path) in str(caught.value)
        assert "expected a YuNet model" in str(caught.value)
    result = run("video", "in.mp4", "-o", tmp_path / "out.mp4", "--engine", "plane", "--face-model", broken)
    assert_one_line(result, "--face-model", str(broken), "YuNet")
