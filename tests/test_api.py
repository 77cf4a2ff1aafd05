"""Refocus for those who have frames: the bytes of the commands, and what a call does."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pullfocus.stream import Refocuser, Settings, refocus
from pullfocus.stream.depth_file import read_depth_picture
from pullfocus.stream.frame import Rendered
from pullfocus.stream.pictures import read_picture
from pullfocus.stream.targets import Fixed, Point
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_out import video_sink

from .api_pictures import PLANE, SIZE_WH, frame, ramp
from .clip import draw, write_clip
from .command import run
from .probe import decode_all

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "python_api.md"


@pytest.fixture
def refocuser() -> Refocuser:
    return Refocuser(Settings(engine=PLANE, aperture=20.0))


# ---- the same bytes


def test_frames_come_out_as_pullfocus_video_writes_them(tmp_path: Path) -> None:
    clip, ours, theirs = write_clip(tmp_path / "in.mp4"), tmp_path / "ours.mp4", tmp_path / "theirs.mp4"
    options = ("--smooth", "median", "--net-every", "2", "--aperture", "15", "--kernel", "polygon", "--blades", "5")
    assert run("video", clip, "-o", theirs, *options).returncode == 0
    refocuser = Refocuser(Settings(smooth="median", net_every=2, aperture=15.0, kernel="polygon", blades=5))
    with VideoSource(str(clip)) as source, video_sink(ours, source.info) as sink:
        for given in source.frames():
            layered = refocuser.analyse(given.picture8, given.time_s)
            sink.write(
                Rendered(replace(layered, sensed=replace(layered.sensed, frame=given)), refocuser.render(layered))
            )
    mine, expected = ([f.to_ndarray(format="rgb24") for f in decode_all(path)] for path in (ours, theirs))
    np.testing.assert_array_equal(mine, expected)


def test_a_picture_comes_out_as_pullfocus_image_writes_it(tmp_path: Path) -> None:
    source, depth, out = tmp_path / "in.png", tmp_path / "depth.png", tmp_path / "out.png"
    cv2.imwrite(str(source), frame())
    cv2.imwrite(str(depth), (ramp() * 65535).astype(np.uint16))
    options = ("--focus", "0.3,0.4", "--aperture", "12", "--layers", "5")
    assert run("image", source, "-o", out, "--depth-in", depth, "--quality", "fine", *options).returncode == 0
    mine = refocus(read_picture(source), read_depth_picture(depth), "0.3,0.4", 12.0, layers=5)
    np.testing.assert_array_equal(mine, read_picture(out))
    assert run("image", source, "-o", out, "--overwrite").returncode == 0
    np.testing.assert_array_equal(Refocuser(Settings(dead_zone=0.0))(read_picture(source), 3.5), read_picture(out))


# ---- what it does


def test_analyse_and_render_are_a_call(refocuser: Refocuser) -> None:
    other = Refocuser(Settings(engine=PLANE, aperture=20.0))
    for index in range(3):
        layered = refocuser.analyse(frame(index), index / 25)
        np.testing.assert_array_equal(refocuser.render(layered), other(frame(index), index / 25))
        assert layered.sensed.inverse_depth.shape == frame().shape[:2]
        assert np.all(np.diff(layered.centres) < 0)
        assert layered.plan.aperture == 20.0
        closed = replace(layered, plan=replace(layered.plan, aperture=0.0))
        np.testing.assert_array_equal(refocuser.render(closed), frame(index))


@pytest.mark.parametrize("target", [1.0, "1.0", np.float32(1.0), Fixed(1.0)])
def test_focus_turns_to_another_target(refocuser: Refocuser, target: Any) -> None:
    """The plane engine puts the bottom of the picture at 1."""
    refocuser.focus_on(0.0)
    refocuser(frame(), 0.0)
    refocuser.focus_on(target)
    out = refocuser(frame(), 4.0)  # there after gliding
    np.testing.assert_array_equal(out[-4:], frame()[-4:])
    assert refocuser.analyse(frame(), 4.04).plan.inverse_depth == pytest.approx(1.0, abs=1e-6)
    refocuser.reset()
    assert refocuser.analyse(frame(), 0.0).plan.inverse_depth == 1.0


def test_focus_glides_to_a_point_and_jumps_after_reset(refocuser: Refocuser) -> None:
    refocuser.focus_on("0.5,0.0")
    far = refocuser.analyse(frame(), 0.0).plan.inverse_depth
    refocuser.focus_on("0.5,1.0")
    between = refocuser.analyse(frame(), 0.4).plan.inverse_depth
    refocuser.reset()
    near = refocuser.analyse(frame(), 0.0).plan.inverse_depth
    assert far < between - 0.1 < near - 0.3


@pytest.mark.parametrize("net_every", [1, 5])
def test_frames_may_change_size(net_every: int) -> None:
    """Portrait after landscape: what the net said of the first does not fit the second."""
    settings = Settings(engine=PLANE, focus=Fixed(0.5), net_every=net_every)
    refocuser = Refocuser(settings)
    for index, size_wh in enumerate([(160, 96), (96, 160), (96, 160), (33, 17), (1, 1)]):
        picture = draw(index, size_wh) if min(size_wh) > 30 else np.full((*size_wh[::-1], 3), 99, np.uint8)
        layered = refocuser.analyse(picture, index / 25)
        fresh = Refocuser(settings).analyse(picture, 0.0)
        if index != 2:  # there the frame before had the same size, and is remembered
            np.testing.assert_array_equal(layered.sensed.inverse_depth, fresh.sensed.inverse_depth)
        assert layered.sensed.cut == (index in (1, 3, 4))
        assert refocuser.render(layered).shape == picture.shape


def test_inputs_stay_and_any_memory_order_will_do(refocuser: Refocuser) -> None:
    bgr, depth = np.asfortranarray(frame()), np.asfortranarray(ramp().astype(np.float64))
    before = bgr.copy(), depth.copy()
    straight, turned = np.ascontiguousarray(bgr[..., ::-1]), np.ascontiguousarray(depth[::-1])
    np.testing.assert_array_equal(refocus(bgr[..., ::-1], depth[::-1], 0.2), refocus(straight, turned, 0.2))
    np.testing.assert_array_equal(
        refocuser(bgr[..., ::-1], 0.0), Refocuser(Settings(engine=PLANE, aperture=20.0))(straight, 0.0)
    )
    np.testing.assert_array_equal(bgr, before[0])
    np.testing.assert_array_equal(depth, before[1])


@pytest.mark.parametrize("aperture", [0.0, 15.0])
def test_the_result_is_memory_of_its_own(aperture: float) -> None:
    picture = frame()
    assert not np.shares_memory(refocus(picture, ramp(), 0.5, aperture), picture)


def test_a_depth_of_the_pictures_size_or_smaller_decides_what_is_sharp() -> None:
    for depth in (ramp(), cv2.resize(ramp(), SIZE_WH)):
        out = refocus(frame(), np.asarray(depth, np.float32), np.float32(0.0), 20.0)
        np.testing.assert_array_equal(out[:2], frame()[:2])
        assert np.abs(out[-20:].astype(int) - frame()[-20:]).mean() > 5


def test_a_caller_may_use_one_buffer_for_all_frames() -> None:
    rng = np.random.default_rng(0)
    tall = cv2.resize(rng.integers(0, 256, (75, 80, 3), np.uint8), (320, 300), interpolation=cv2.INTER_CUBIC)
    fresh, reused = (Refocuser(Settings(engine=PLANE, focus=Point(0.5, 0.6))) for _ in range(2))
    buffer = np.empty((192, 320, 3), np.uint8)
    for index in range(12):
        window = tall[5 * index : 5 * index + 192].astype(np.uint8)  # what is in focus moves up, to where it is farther
        buffer[:] = window
        np.testing.assert_array_equal(reused(buffer, index / 25), fresh(window, index / 25))
    assert reused.analyse(buffer, 1.0).plan.inverse_depth < 0.45


# ---- how it comes


def test_importing_it_loads_neither_a_video_library_nor_a_runtime() -> None:
    code = (
        "import sys; from pullfocus.stream import Refocuser, refocus;"
        "print(sorted({'av', 'torch', 'torchvision', 'openvino', 'sklearn', 'cupy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-P", "-c", code], text=True).strip() == "[]"


def test_the_documents_examples_run(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    write_clip(tmp_path / "in.mp4")
    cv2.imwrite(str(tmp_path / "photo.png"), frame())
    np.save(tmp_path / "metres.npy", np.linspace(4.0, 0.4, 96)[:, None].repeat(160, axis=1))
    done = subprocess.run(
        [sys.executable, "-P", "-c", "\n".join(blocks)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    out = cv2.imread(str(tmp_path / "refocused.png"))
    assert out is not None
    error = np.abs(out.astype(int) - cv2.imread(str(tmp_path / "photo.png"))).mean(axis=(1, 2))
    assert error[52:57].max() < 1.0 < error[:20].mean()  # 2 m is at row 53
