"""Cameras: what the kernel is asked, how they are named, which mode is taken, what is said of it."""

from __future__ import annotations

import json
from ctypes import sizeof
from errno import EACCES
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.kernels.api import AnyPicture
from pullfocus.kernels.errors import InputError
from pullfocus.stream import v4l2
from pullfocus.stream.camera import CameraInput
from pullfocus.stream.camera_search import again, camera_number, pick
from pullfocus.stream.cameras import Camera, Mode, camera_table, choose_mode
from pullfocus.stream.reconnecting import Reconnecting
from rich.console import Console

from .command import assert_one_line, run, wait_for
from .fake_v4l2 import LOOPBACK, METADATA, WEBCAM, FakeDevice


def listed(folder: Path) -> list[Camera]:
    """video0 and video10 give pictures, video1 metadata, video2 may not be opened; video-x is something else."""
    devices = {"video0": WEBCAM, "video1": METADATA, "video2": None, "video10": LOOPBACK, "video-x": None}
    for name in devices:
        (folder / name).touch()

    def opened(path: str) -> FakeDevice:
        device = devices[Path(path).name]
        if device is None:
            raise PermissionError(EACCES, "Permission denied")
        return device

    return v4l2.list_v4l2(folder, opened)


def test_questions_are_encoded_as_the_kernel_has_them() -> None:
    # As gcc gives them for linux/videodev2.h.
    codes = v4l2.QUERYCAP, v4l2.ENUM_FMT, v4l2.ENUM_FRAMESIZES, v4l2.ENUM_FRAMEINTERVALS
    assert codes == (0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B)
    kinds = v4l2.Capability, v4l2.FormatDescription, v4l2.FrameSize, v4l2.FrameInterval
    assert [sizeof(kind) for kind in kinds] == [104, 64, 44, 52]
    assert v4l2.FrameInterval.numbers.offset == 20  # pyright: ignore[reportAttributeAccessIssue]
    assert v4l2.Capability.device_caps.offset == 88  # pyright: ignore[reportAttributeAccessIssue]


def test_all_that_give_pictures_are_listed_by_number(tmp_path: Path) -> None:
    webcam, barred, loopback = listed(tmp_path)
    assert (webcam.number, webcam.name, webcam.path) == (0, "HD Webcam C525", str(tmp_path / "video0"))
    assert webcam.modes[0] == Mode("YUYV", (480, 640), (30.0, 15.0))
    assert [mode.size_hw for mode in webcam.modes if mode.pix_fmt == "MJPG"] == [(480, 640), (720, 1280)]
    assert barred.number == 2
    assert "Permission denied" in barred.trouble
    assert loopback.number == 10
    assert Mode("YU12", (720, 1280), (60.0,)) in loopback.modes  # of a range, the usual sizes
    assert WEBCAM.closed


def test_a_file_that_is_no_device_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "video0").write_text("not a device")
    assert v4l2.list_v4l2(tmp_path) == []


def test_raw_is_taken_where_it_is_as_fast_and_jpeg_where_it_is_not(tmp_path: Path) -> None:
    modes = listed(tmp_path)[0].modes

    def chosen(height: int, width: int, rate: float) -> tuple[str, tuple[int, int]]:
        mode = choose_mode(modes, (height, width), rate)
        assert mode is not None
        return mode.pix_fmt, mode.size_hw

    assert chosen(480, 640, 30) == ("YUYV", (480, 640))
    assert chosen(720, 1280, 30) == ("MJPG", (720, 1280))
    assert chosen(720, 1280, 10) == ("YUYV", (720, 1280))
    assert chosen(720, 1280, 60) == ("MJPG", (720, 1280))  # nearer to what was asked for
    assert chosen(1080, 1920, 30) == ("MJPG", (720, 1280))  # H.264 is of no use here
    assert choose_mode((), (480, 640)) is None


@pytest.mark.parametrize(("asked", "set_to"), [(30.0, 30.0), (29.97, 30.0), (20.0, 30.0), (10.0, 15.0), (60.0, 30.0)])
def test_the_rate_is_as_high_as_asked_where_there_is_one(asked: float, set_to: float) -> None:
    assert Mode("YUYV", (480, 640), (30.0, 15.0)).nearest_rate(asked) == set_to


def test_a_camera_is_named_by_number_path_or_part_of_its_name(tmp_path: Path) -> None:
    cameras = [Camera(0, "/dev/video0", "HD Webcam"), Camera(2, "/dev/video2", "HD Webcam Pro"), Camera(3, name="Cam")]
    assert pick("2", cameras).name == pick("/dev/video2", cameras).name == pick("wEbCAM pRo", cameras).name
    assert pick("hd webcam", cameras).number == 0  # all of a name counts more than a part
    assert pick("9", cameras) == Camera(9)
    with pytest.raises(InputError, match=r"camera 0 \(HD Webcam\), camera 2 \(HD Webcam Pro\) have that name"):
        pick("webc", cameras)
    with pytest.raises(InputError, match=r"no camera of that name \(there is camera 0 \(HD Webcam\), .*camera 3"):
        pick("nikon", cameras)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("/dev/video2", 2), ("²", None), ("a.mp4", None), ("", None)])
def test_which_sources_are_cameras_by_number(text: str, number: int | None) -> None:
    assert camera_number(text) == number


def test_a_camera_that_comes_back_under_another_number_is_found() -> None:
    was = Camera(0, name="HD Webcam", bus="usb-2")
    twin = Camera(1, name="HD Webcam", bus="usb-1")
    assert again(was, [twin, Camera(4, name="HD Webcam", bus="usb-2")]).number == 4
    assert again(was, [twin]).number == 1  # put into another socket
    with pytest.raises(InputError, match=r"camera 0 \(HD Webcam\) is not there"):
        again(was, [Camera(0, name="Scanner")])
    assert again(Camera(5), []) == Camera(5)


class FakeCapture:
    """OpenCV's capture of a camera that has its own mind about sizes and gives `pictures` pictures."""

    def __init__(self, gives: dict[int, float], pictures: int = 3, opened: bool = True) -> None:
        self.asked: list[tuple[int, float]] = []
        self._gives, self._left, self._opened = gives, pictures, opened
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return self._opened

    def read(self) -> tuple[bool, AnyPicture]:
        self._left -= 1
        return self._left >= 0, np.full((48, 64, 3), (255, 0, 0), np.uint8)

    def set(self, prop: int, value: float, /) -> bool:
        self.asked.append((prop, value))
        return True

    def get(self, prop: int, /) -> float:
        return self._gives.get(prop, 0.0)

    def release(self) -> None:
        self.released = True


WIDTH, HEIGHT, FPS = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS


def test_a_camera_is_asked_for_a_mode_that_it_has_and_differences_are_said(tmp_path: Path) -> None:
    camera = listed(tmp_path)[0]
    capture = FakeCapture({WIDTH: 1280, HEIGHT: 720, FPS: 30})
    source = CameraInput(camera, (800, 1280), 60.0, lambda number: capture)
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    assert capture.asked == [(cv2.CAP_PROP_FOURCC, fourcc), (WIDTH, 1280), (HEIGHT, 720), (FPS, 30.0)]
    name = "camera 0 (HD Webcam C525)"
    assert source.notes == [f"{name} gives 1280×720 instead of 1280×800", f"{name} gives 30 fps instead of 60"]


def test_nothing_is_said_where_all_is_as_asked(tmp_path: Path) -> None:
    capture = FakeCapture({WIDTH: 640, HEIGHT: 480, FPS: 30})
    assert CameraInput(listed(tmp_path)[0], (480, 640), 30.0, lambda number: capture).notes == []


def test_a_camera_of_unknown_modes_gets_what_was_asked() -> None:
    capture = FakeCapture({WIDTH: 640, HEIGHT: 480, FPS: 30})
    CameraInput(Camera(1), (480, 640), None, lambda number: capture)
    assert capture.asked[1:] == [(WIDTH, 640), (HEIGHT, 480)]


def test_pictures_are_rgb_and_an_unplugged_camera_is_opened_again() -> None:
    captures = [FakeCapture({}, pictures=3), FakeCapture({}, pictures=10**9)]
    given = iter(captures)
    told: list[str] = []

    def opened() -> CameraInput:
        return CameraInput(Camera(0, name="Cam"), None, None, lambda number: next(given))

    source = Reconnecting("camera 0 (Cam)", opened, tell=told.append)
    frames = source.frames()
    picture = next(frames).picture
    assert (picture == (0, 0, 255)).all()
    wait_for(lambda: captures[0].released)
    for _ in range(5):
        next(frames)
    source.close()
    assert captures[1].released


def test_a_camera_that_cannot_be_opened_says_why() -> None:
    closed = FakeCapture({}, opened=False)
    with pytest.raises(InputError, match=r"camera 2 cannot be opened; Permission denied"):
        CameraInput(Camera(2, trouble="Permission denied"), None, None, lambda number: closed)


def test_the_table_and_the_facts_hold_every_mode(tmp_path: Path) -> None:
    cameras = listed(tmp_path)
    console = Console(width=120, record=True, file=(tmp_path / "out.txt").open("w"))
    console.print(camera_table(cameras))
    text = console.export_text()
    assert "HD Webcam C525" in text
    assert "1280×720 MJPG 30, 15 fps" in text
    assert "Permission denied" in text
    facts = json.loads(json.dumps([camera.facts() for camera in cameras]))
    assert facts[0]["modes"][0] == {"width": 640, "height": 480, "pixel_format": "YUYV", "fps": [30.0, 15.0]}


def test_the_command_lists_what_this_machine_has() -> None:
    cameras = json.loads(run("cameras", "--json").stdout)
    assert [camera["number"] for camera in cameras] == [camera.number for camera in v4l2.list_v4l2()]
    plain = run("cameras")
    assert plain.returncode == 0
    assert "no camera was found" in plain.stdout or str(cameras[0]["name"]) in plain.stdout


def test_an_unknown_name_is_one_line() -> None:
    result = run("live", "--source", "no such webcam", "--sink", "null", "--engine", "plane")
    assert_one_line(result, "no such webcam", "no camera of that name", "synthetic")
