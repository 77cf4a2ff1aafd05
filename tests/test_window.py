"""The real command with its window, on a virtual screen: what it shows, clicks, keys, and how it ends."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import struct
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import av
import cv2
import numpy as np
import pytest
from pullfocus.stream.remembered import HOME
from pullfocus.stream.window import TITLE

from .clip import write_clip
from .command import PULLFOCUS

pytestmark = [pytest.mark.display, pytest.mark.real_time]
TOOLS = ("Xvfb", "xdotool")
DEADLINE_S = 20.0
FIRST_PICTURE_S = 5.0
STARTS = 5


class Screen:
    """A virtual screen, its pixels, and the hand that points and types."""

    def __init__(self, display: str, pixels_file: Path) -> None:
        self.home = pixels_file.parent  # where the window keeps what was turned
        self.environment = {**os.environ, "DISPLAY": display, "PYTHONFAULTHANDLER": "1", HOME: str(self.home)}
        self._pixels_file = pixels_file

    def do(self, *command: str) -> str:
        """An xdotool command."""
        done = subprocess.run(
            ["xdotool", *command], env=self.environment, capture_output=True, text=True, timeout=10, check=False
        )
        return done.stdout.strip()

    def picture(self) -> np.ndarray:
        """`h w 3` BGR, read from the frame buffer (an XWD file: a header of big-endian words, colours, pixels)."""
        raw = self._pixels_file.read_bytes()
        header = np.frombuffer(raw, ">u4", 25)
        start, width, height = int(header[0] + 12 * header[19]), int(header[4]), int(header[5])
        assert (header[11], header[12]) == (32, width * 4)
        return np.frombuffer(raw, np.uint8, width * height * 4, start).reshape(height, width, 4)[..., :3]

    def click(self, window: str, x: int, y: int) -> None:
        self.do("mousemove", "--window", window, str(x), str(y), "click", "1")

    def close(self, window: str) -> None:
        """What a window manager does when its user presses the cross; there is none on this screen."""
        x11 = ctypes.CDLL("libX11.so.6")
        x11.XOpenDisplay.restype, x11.XInternAtom.restype = ctypes.c_void_p, ctypes.c_ulong
        display, number = ctypes.c_void_p(x11.XOpenDisplay(self.environment["DISPLAY"].encode())), int(window)
        kind, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
        # An XClientMessageEvent: type 33, serial, sent, display, window, message, format, five words.
        event = struct.pack("@iLiPLLi5l", 33, 0, 1, 0, number, kind, 32, delete, 0, 0, 0, 0).ljust(192, b"\0")
        x11.XSendEvent(display, ctypes.c_ulong(number), 0, ctypes.c_long(0), event)
        x11.XCloseDisplay(display)


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        words = f"{', '.join(missing)} not installed; run: apt install xvfb xdotool"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)
    folder = tmp_path_factory.mktemp("screen")
    # -displayfd: the server takes a free number and prints it once it is ready.
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-fbdir", str(folder), "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield Screen(f":{server.stdout.readline().strip()}", folder / "Xvfb_screen0")
        server.terminate()


@pytest.fixture
def live(screen: Screen) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts the command; gives its process and window once a picture is in it."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> tuple[subprocess.Popen[str], str]:
        command = [PULLFOCUS, "live", "--engine", "plane", "--sink", "window", *map(str, arguments)]
        for _ in range(STARTS):
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, env=screen.environment, stdout=pipe, stderr=pipe, text=True)
            started.append(process)
            if shows_a_picture(screen, process):
                return process, screen.do("search", "--name", f"^{TITLE}$").split()[-1]
            process.kill()
            process.wait()
        pytest.fail(f"the window stayed empty in {STARTS} starts")

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def shows_a_picture(screen: Screen, process: subprocess.Popen[str]) -> bool:
    """Without a window manager, Qt under Xvfb sometimes leaves a window black for good, also in a bare
    OpenCV script; so a start may be tried again.
    """
    end_s: float | None = None
    while end_s is None or monotonic() < end_s:
        if process.poll() is not None:
            pytest.fail(f"the command ended with {process.returncode}: {process.communicate()}")
        if screen.picture()[:200, :300].std() > 5:  # an empty window is of one colour
            return True
        if end_s is None and screen.do("search", "--name", f"^{TITLE}$"):
            end_s = monotonic() + FIRST_PICTURE_S
        sleep(0.05)
    return False


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    end_s = monotonic() + DEADLINE_S
    while not condition():
        if process is not None and process.poll() is not None:
            pytest.fail(f"the command ended with {process.returncode}: {process.communicate()}")
        if monotonic() > end_s:
            pytest.fail("nothing came within the deadline")
        sleep(0.05)


def sharpness(picture: np.ndarray) -> float:
    """Mean step between neighbours in a row: both test sources have stripes from top to bottom."""
    return float(np.abs(np.diff(picture.astype(int), axis=1)).mean())


def ended(process: subprocess.Popen[str], within_s: float) -> tuple[int, str]:
    try:
        stdout, stderr = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler then says where each thread stands
        pytest.fail(f"not ended within {within_s:g} s: {process.communicate()[1]}")
    assert "Traceback" not in stderr
    return process.returncode, stdout


def test_a_file_plays_a_click_focuses_and_q_quits(
    screen: Screen, live: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=1500, size_wh=(320, 240))
    process, window = live("--source", clip, "--focus", "nearest")
    far, near = np.s_[5:35, 40:300], np.s_[170:200, 40:300]  # the plane is far at the top
    wait_for(lambda: sharpness(screen.picture()[near]) > 2 * sharpness(screen.picture()[far]), process)
    first = screen.picture()[:240, :320]
    wait_for(lambda: np.abs(screen.picture()[:240, :320].astype(int) - first).mean() > 1, process)  # it moves
    overlay = screen.picture()[222:238, 4:110]
    assert (overlay > 230).any()  # white text …
    assert overlay.min() < 60  # … on a dark bar
    screen.click(window, 200, 12)
    wait_for(lambda: sharpness(screen.picture()[far]) > 2 * sharpness(screen.picture()[near]), process)
    screen.do("key", "n")
    wait_for(lambda: sharpness(screen.picture()[near]) > 2 * sharpness(screen.picture()[far]), process)
    screen.do("key", "q")
    code, stdout = ended(process, within_s=5)
    assert code == 0
    assert stdout.startswith("ended: ")


def test_a_click_in_a_resized_panel_counts_within_its_tile(
    screen: Screen, live: Callable[..., tuple[subprocess.Popen[str], str]]
) -> None:
    process, window = live("--source", "synthetic", "--size", "320x240", "--view", "panel", "--focus", "nearest")
    wait_for(lambda: "640x480" in screen.do("getwindowgeometry", window), process)
    screen.do("windowsize", window, "960", "480")  # the panel, 640×480, is then shown 160 px from the left
    top, middle = np.s_[275:300, 500:780], np.s_[345:370, 500:780]  # of the refocused picture at the bottom right
    wait_for(lambda: screen.picture()[:480, :150].std() < 1, process)
    screen.click(window, 600, 242)
    wait_for(lambda: sharpness(screen.picture()[top]) > 1.5 * sharpness(screen.picture()[middle]), process)
    screen.close(window)
    assert ended(process, within_s=5)[0] == 0


def test_ctrl_c_ends_it_soon_and_keeps_what_is_recorded(
    screen: Screen, live: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path
) -> None:
    process, window = live("--source", "synthetic", "--size", "320x240", "--takes", tmp_path)
    screen.do("mousemove", "--window", window, "160", "120")  # without a window manager, keys go where it points
    screen.do("key", "r")
    wait_for(lambda: list(tmp_path.glob(".*.part.mp4")), process)  # it appears with the first frame
    process.send_signal(signal.SIGINT)
    assert ended(process, within_s=5)[0] == 130
    (recording,) = tmp_path.iterdir()
    with av.open(str(recording)) as container:
        assert next(container.decode(video=0)).width == 320


def test_keys_turn_the_view_keep_takes_and_are_remembered(
    screen: Screen, live: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path
) -> None:
    takes = tmp_path / "takes"
    process, window = live("--source", "synthetic", "--size", "320x240", "--takes", takes, "--view", "depth")
    colours = np.s_[5:100, 5:60]  # the test picture is grey here, a depth map is not

    def shows_depth() -> bool:
        return bool(np.ptp(screen.picture()[colours].astype(int), axis=2).mean() > 40)

    wait_for(shows_depth, process)
    screen.do("mousemove", "--window", window, "160", "120")
    screen.do("key", "Left")  # of which the lower eight bits are a Q
    sleep(0.5)
    screen.do("key", "d")
    wait_for(lambda: not shows_depth(), process)
    screen.do("key", "bracketright")
    wait_for(lambda: text_is_at(screen, np.s_[185:205, 120:200]), process)  # a message in the middle says so
    screen.do("key", "r")
    wait_for(lambda: list(takes.glob(".*.part.mp4")), process)
    screen.do("key", "c")
    wait_for(lambda: list(takes.glob("pullfocus-*.png")), process)
    screen.do("key", "r")
    wait_for(lambda: list(takes.glob("pullfocus-*.mp4")), process)
    screen.do("key", "s")
    wait_for(lambda: "640x240" in screen.do("getwindowgeometry", window), process)
    screen.do("key", "o")
    wait_for(lambda: text_is_at(screen, np.s_[8:60, 560:630]), process)
    screen.do("key", "Escape")
    assert ended(process, within_s=5)[0] == 0
    (still,), (recording,) = takes.glob("*.png"), takes.glob("*.mp4")
    kept_picture = cv2.imread(str(still))
    assert kept_picture is not None
    assert kept_picture[222:238, 4:110].max() < 230  # the overlay is not in it
    with av.open(str(recording)) as container:
        assert len(list(container.decode(video=0))) >= 2
    kept = tomllib.loads((screen.home / "live.toml").read_text())
    assert kept == {"aperture": 7.5, "view": "side", "window": {"statistics": True}}


def text_is_at(screen: Screen, where: tuple[slice, slice]) -> bool:
    """White letters on a dark plate."""
    part = screen.picture()[where]
    return bool((part > 230).any() and part.min() < 90)
